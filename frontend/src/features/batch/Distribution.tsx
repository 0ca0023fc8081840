import { IconHelp, IconMoodSilence } from '@tabler/icons-react';
import bars from '../../components/Bars.module.css';
import { EmotionIcon } from '../../components/EmotionIcon';
import text from '../../components/text.module.css';
import type { Emotion } from '../../lib/api';
import { EMOTIONS, emotionColor, emotionName } from '../../lib/emotions';
import { number, percent } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import css from './batch.module.css';
import type { Item } from './queue';
import { distribution, type Filter } from './table';

interface Props {
  items: readonly Item[];
  filter: Filter;
  onFilter: (filter: Filter) => void;
}

/** Bar chart of the number of recordings per emotion or state; clicking a bar filters the table. */
export function Distribution({ items, filter, onFilter }: Props) {
  const { batch: words, unsure, noSpeech } = useWords();
  const found = distribution(items);
  const total = found.reduce((sum, { count }) => sum + count, 0);
  if (!total) return null;
  return (
    <ul className={css.distribution} data-testid="distribution" aria-label={words.distribution}>
      {found.map(({ key, count }) => {
        const emotion = EMOTIONS.includes(key as Emotion) ? (key as Emotion) : null;
        const colour = emotion ? emotionColor(emotion) : 'var(--emotion-neutral)';
        return (
          <li key={key}>
            <button type="button" aria-pressed={filter === key} onClick={() => onFilter(filter === key ? 'all' : key)}>
              <span className={bars.barName}>
                {emotion && <EmotionIcon emotion={emotion} size={18} />}
                {key === 'unsure' && <IconHelp aria-hidden size={18} stroke={1.7} />}
                {key === 'no_speech' && <IconMoodSilence aria-hidden size={18} stroke={1.7} />}
                {emotion ? emotionName(emotion) : key === 'unsure' ? unsure : noSpeech}
              </span>
              <span className={bars.barTrack} aria-hidden>
                <span className={bars.barFill} style={{ inlineSize: `${(100 * count) / total}%`, background: colour }} />
              </span>
              <span className={text.numbers}>
                {number(count)} · {percent(count / total)}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
