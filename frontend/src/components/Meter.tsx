import css from './Meter.module.css';

interface Props {
  label: string;
  /** Loudest magnitude, 0 to 1. */
  level: number;
}

const FLOOR_DECIBELS = 60;

/** A magnitude as people hear it: 0 at -60 dB or less, 1 at full scale. */
export function loudness(level: number): number {
  return level > 0 ? Math.max(0, Math.min(1, 1 + (20 * Math.log10(level)) / FLOOR_DECIBELS)) : 0;
}

/** The level of a microphone. */
export function Meter({ label, level }: Props) {
  const loud = loudness(level);
  return (
    <div className={css.meter} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * loud)}>
      <div className={css.meterFill} style={{ inlineSize: `${100 * loud}%` }} />
    </div>
  );
}
