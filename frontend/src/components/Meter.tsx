import css from './Meter.module.css';

interface Props {
  label: string;
  /** Peak magnitude, 0 to 1. */
  level: number;
}

const FLOOR_DECIBELS = 60;

/** Maps a magnitude to a decibel scale: 0 at -60 dB or below, 1 at full scale. */
export function loudness(level: number): number {
  return level > 0 ? Math.max(0, Math.min(1, 1 + (20 * Math.log10(level)) / FLOOR_DECIBELS)) : 0;
}

/** Microphone level meter. */
export function Meter({ label, level }: Props) {
  const loud = loudness(level);
  return (
    <div className={css.meter} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * loud)}>
      <div className={css.meterFill} style={{ inlineSize: `${100 * loud}%` }} />
    </div>
  );
}
