import { IconMoodSilence } from '@tabler/icons-react';
import clsx from 'clsx';
import { memo, useEffect, useRef } from 'react';
import { EmotionIcon } from '../../components/EmotionIcon';
import type { Segment } from '../../lib/api';
import { share, type View } from '../../lib/audio/axis';
import { emotionColor, emotionName } from '../../lib/emotions';
import { useWords } from '../../lib/i18n/language';
import css from './explorer.module.css';
import { gaps, segmentText } from './segments';

interface Props {
  segments: Segment[];
  length: number;
  view: View;
  /** Index of the segment that has or last had the focus. */
  selected: number;
  onSelect: (index: number) => void;
}

const ROOM_FOR_ICON = 0.028; // share of the visible width
const ROOM_FOR_NAME = 0.11;

/** Emotion segments over time, one button each. Only the selected one is in the tab order; brackets move between them. */
export const EmotionTrack = memo(function EmotionTrack({ segments, length, view, selected, onSelect }: Props) {
  const { explorer, noSpeech } = useWords();
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const buttons = list.current;
    if (buttons?.contains(document.activeElement)) buttons.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }, [selected]);
  const inView = ({ start, end }: { start: number; end: number }) => end > view.from && start < view.to;
  return (
    <div className={css.emotionTrack}>
      {gaps(segments, length)
        .filter(([start, end]) => inView({ start, end }))
        .map(([start, end]) => (
          <span key={start} className={css.gap} style={place(view, start, end)} title={noSpeech} aria-hidden>
            {share(view, end) - share(view, start) > ROOM_FOR_ICON && <IconMoodSilence size={16} stroke={1.6} />}
          </span>
        ))}
      <ol aria-label={explorer.overTime} ref={list}>
        {segments.map((segment, i) => {
          if (!inView(segment)) return null;
          const { start, end, emotion, state } = segment;
          const width = share(view, Math.min(end, view.to)) - share(view, Math.max(start, view.from));
          const unsure = state === 'unsure';
          const text = segmentText(segment);
          return (
            <li key={start} style={place(view, start, end)}>
              <button
                type="button"
                className={clsx(css.segment, unsure && css.unsure)}
                data-testid="segment"
                style={{ '--tone': emotionColor(emotion) } as React.CSSProperties}
                title={text}
                aria-label={text}
                aria-pressed={i === selected}
                tabIndex={i === Math.max(selected, 0) ? 0 : -1}
                onFocus={() => onSelect(i)}
                onClick={() => onSelect(i)}
              >
                {width > ROOM_FOR_ICON && <EmotionIcon emotion={emotion} size={16} />}
                {width > ROOM_FOR_NAME && <span aria-hidden>{unsure ? explorer.perhaps(emotionName(emotion)) : emotionName(emotion)}</span>}
              </button>
            </li>
          );
        })}
      </ol>
    </div>
  );
});

function place(view: View, start: number, end: number): React.CSSProperties {
  const [from, to] = [Math.max(0, share(view, start)), Math.min(1, share(view, end))];
  return { left: `${100 * from}%`, width: `${100 * (to - from)}%` };
}
