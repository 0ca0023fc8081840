import type WaveSurfer from 'wavesurfer.js';
import type { Segment } from '../../lib/api';
import { share, type View } from '../../lib/audio/axis';
import css from './explorer.module.css';
import { useTime } from './useSound';

/** Playback position. */
export function Playhead({ view, wave }: { view: View; wave: WaveSurfer | null }) {
  const x = share(view, useTime(wave));
  if (!wave || x < 0 || x > 1) return null;
  return <span className={css.playhead} data-testid="playhead" style={{ left: `${100 * x}%` }} />;
}

/** Pointer position. */
export function Cursor({ view, seconds }: { view: View; seconds: number }) {
  return <span className={css.cursor} style={{ left: `${100 * share(view, seconds)}%` }} />;
}

/** Highlights the repeated segment. */
export function LoopRegion({ view, segment }: { view: View; segment?: Segment }) {
  if (!segment) return null;
  const [from, to] = [Math.max(0, share(view, segment.start)), Math.min(1, share(view, segment.end))];
  return to > from ? <span className={css.shade} style={{ left: `${100 * from}%`, width: `${100 * (to - from)}%` }} /> : null;
}
