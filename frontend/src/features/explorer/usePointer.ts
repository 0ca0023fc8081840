import { useRef, useState, type PointerEvent, type RefObject } from 'react';
import type { Axis } from './useAxis';

const DRAG_THRESHOLD_PIXELS = 4;

/** The time under the pointer, in s; a click seeks there, dragging pans. */
export function usePointer({ view, pan }: Axis, stage: RefObject<HTMLElement | null>, onClick: (seconds: number) => void) {
  const [seconds, setSeconds] = useState<number | null>(null);
  const drag = useRef<{ x: number; moved: boolean } | null>(null);
  const at = ({ clientX }: PointerEvent) => {
    const { left, width } = stage.current!.getBoundingClientRect();
    return { seconds: view.from + ((clientX - left) / width) * (view.to - view.from), perPixel: (view.to - view.from) / width };
  };
  const handlers = {
    onPointerDown: (event: PointerEvent) => {
      if (event.button === 0) drag.current = { x: event.clientX, moved: false };
    },
    onPointerMove: (event: PointerEvent) => {
      const { seconds: here, perPixel } = at(event);
      setSeconds(here);
      if (!drag.current || (!drag.current.moved && Math.abs(event.clientX - drag.current.x) < DRAG_THRESHOLD_PIXELS)) return;
      pan((drag.current.x - event.clientX) * perPixel);
      drag.current = { x: event.clientX, moved: true };
    },
    onPointerUp: (event: PointerEvent) => {
      if (drag.current && !drag.current.moved) onClick(at(event).seconds);
      drag.current = null;
    },
    onPointerLeave: () => {
      setSeconds(null);
      drag.current = null;
    },
  };
  return { seconds, handlers };
}
