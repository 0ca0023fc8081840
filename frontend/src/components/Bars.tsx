import { Text } from '@mantine/core';
import clsx from 'clsx';
import type { Emotion } from '../lib/api';
import { emotionColor, emotionName, ranked } from '../lib/emotions';
import { certainty } from '../lib/i18n/format';
import { useWords } from '../lib/i18n/language';
import css from './Bars.module.css';
import { EmotionIcon } from './EmotionIcon';
import text from './text.module.css';

interface Props {
  probabilities: Record<string, number>;
  label?: string;
  /** Fixed order, so that rows do not jump while values change; defaults to most likely first. */
  order?: readonly Emotion[];
  compact?: boolean;
}

/** Bar chart of the probability of each emotion. */
export function Bars({ probabilities, label, order, compact = false }: Props) {
  const { result } = useWords();
  const rows: [Emotion, number][] = order ? order.map((emotion) => [emotion, probabilities[emotion] ?? 0]) : ranked(probabilities);
  if (!rows.length) return null;
  const most = Math.max(...rows.map(([, share]) => share));
  return (
    <ol className={clsx(css.bars, compact && css.barsCompact)} aria-label={label ?? result.probabilities}>
      {rows.map(([emotion, share]) => (
        <li key={emotion} className={clsx(css.barRow, share === most && share > 0 && css.barFirst)}>
          <span className={css.barName}>
            <EmotionIcon emotion={emotion} size={compact ? 16 : 20} />
            {emotionName(emotion)}
          </span>
          <span className={css.barTrack} aria-hidden>
            <span className={css.barFill} style={{ inlineSize: `${100 * share}%`, background: emotionColor(emotion) }} />
          </span>
          <Text span size="sm" className={clsx(text.numbers, css.barValue)}>
            {certainty(100 * share)}
          </Text>
        </li>
      ))}
    </ol>
  );
}
