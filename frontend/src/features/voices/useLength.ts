import { useEffect, useState } from 'react';

/** How long a recording is in s, where this browser can tell. */
export function useLength(file: File): number | undefined {
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
