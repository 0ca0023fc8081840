/** The charts' shared time axis: the visible range in s, zooming, panning and ticks. */

export interface View {
  from: number;
  to: number;
}

/** The shortest visible range: about one syllable. */
export const CLOSEST_SECONDS = 0.25;
const STEPS_SECONDS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];

export function whole(length: number): View {
  return { from: 0, to: Math.max(length, CLOSEST_SECONDS) };
}

/** Scales the visible range by `factor`, keeping the time `at` in place. */
export function zoomed(view: View, factor: number, at: number, length: number): View {
  const span = view.to - view.from;
  const next = Math.min(Math.max(span * factor, CLOSEST_SECONDS), whole(length).to);
  return placed(at - ((at - view.from) / span) * next, next, length);
}

export function panned(view: View, seconds: number, length: number): View {
  return placed(view.from + seconds, view.to - view.from, length);
}

/** Scrolls to make `at` visible, if it is not; during playback this turns whole pages. */
export function showing(view: View, at: number, length: number): View {
  return at >= view.from && at <= view.to ? view : placed(at, view.to - view.from, length);
}

/** Position of a time in the view: 0 at its start, 1 at its end, beyond these out of view. */
export function share(view: View, seconds: number): number {
  return (seconds - view.from) / (view.to - view.from);
}

/** Round tick times in view, about `most` at the most. */
export function ticks(view: View, most: number): number[] {
  const span = view.to - view.from;
  const step = STEPS_SECONDS.find((seconds) => span / seconds <= most) ?? STEPS_SECONDS.at(-1)!;
  const first = Math.ceil(view.from / step - 1e-9);
  const last = Math.floor(view.to / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(2)));
}

function placed(from: number, span: number, length: number): View {
  const start = Math.max(0, Math.min(from, whole(length).to - span));
  return { from: start, to: start + span };
}
