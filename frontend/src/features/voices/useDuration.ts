import { useEffect, useState } from 'react';

/** Duration of a recording in s; undefined until known, or if this browser cannot decode the file. */
export function useDuration(file: File): number | undefined {
  const [seconds, setSeconds] = useState<number>();
  useEffect(() => {
    const address = URL.createObjectURL(file);
    const audio = new Audio();
    audio.preload = 'metadata';
    audio.onloadedmetadata = () => Number.isFinite(audio.duration) && setSeconds(audio.duration);
    audio.src = address;
    return () => {
      audio.onloadedmetadata = null;
      audio.removeAttribute('src');
      URL.revokeObjectURL(address);
    };
  }, [file]);
  return seconds;
}
