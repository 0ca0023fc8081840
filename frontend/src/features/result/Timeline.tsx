import { EmotionIcon } from '../../components/EmotionIcon';
import type { Segment } from '../../lib/api';
import { emotionColor, emotionName } from '../../lib/emotions';
import { clock } from '../../lib/format';

const WIDE_ENOUGH_PERCENT = 14; // for a name to fit

/** How the answer changes over time; only where it does. */
export function Timeline({ segments, duration }: { segments: Segment[]; duration: number }) {
  if (segments.length < 2) return null;
  return (
    <ol className="timeline" aria-label="Emotion over time">
      {segments.map((segment) => {
        const { start, end, emotion, confidence, state } = segment;
        const unsure = state === 'unsure';
        const width = (100 * (end - start)) / duration;
        const name = emotionName(emotion);
        const answer = unsure ? `Unsure, closest to ${name.toLowerCase()}` : name;
        const text = `${answer}, ${clock(start)} to ${clock(end)}, ${confidence.toFixed(0)} %`;
        return (
          <li
            key={start}
            className={unsure ? 'unsure' : undefined}
            title={text}
            style={{ left: `${(100 * start) / duration}%`, width: `calc(${width}% - 2px)`, borderTopColor: emotionColor(emotion) }}
          >
            <EmotionIcon emotion={emotion} size={16} />
            {width > WIDE_ENOUGH_PERCENT && <span aria-hidden>{unsure ? `${name}?` : name}</span>}
            <span className="visually-hidden">{text}</span>
          </li>
        );
      })}
    </ol>
  );
}
