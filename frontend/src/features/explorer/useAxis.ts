import { useCallback, useEffect, useMemo, useState, type RefObject } from 'react';
import { panned, showing, whole, zoomed, type View } from '../../lib/audio/axis';

const WHEEL_ZOOM = 0.002; // per pixel of wheel movement

/** The visible range and its controls: Ctrl+wheel and pinch zoom, horizontal wheel and dragging pan. */
export function useAxis(length: number, stage: RefObject<HTMLElement | null>) {
  const [view, setView] = useState<View>(() => whole(length));

  const zoom = useCallback(
    (factor: number, at?: number) => setView((now) => zoomed(now, factor, at ?? (now.from + now.to) / 2, length)),
    [length],
  );
  const pan = useCallback((seconds: number) => setView((now) => panned(now, seconds, length)), [length]);
  const reveal = useCallback((seconds: number) => setView((now) => showing(now, seconds, length)), [length]);
  const fit = useCallback(() => setView(whole(length)), [length]);

  useEffect(() => {
    const element = stage.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      const { left, width: room } = element.getBoundingClientRect();
      if (event.ctrlKey) {
        event.preventDefault();
        setView((now) =>
          zoomed(now, Math.exp(event.deltaY * WHEEL_ZOOM), now.from + ((event.clientX - left) / room) * (now.to - now.from), length),
        );
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        setView((now) => panned(now, (event.deltaX / room) * (now.to - now.from), length));
      }
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [length, stage]);

  return useMemo(() => ({ view, setView, zoom, pan, reveal, fit }), [view, zoom, pan, reveal, fit]);
}

export type Axis = ReturnType<typeof useAxis>;
