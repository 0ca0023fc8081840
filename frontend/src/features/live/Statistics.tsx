import { EmotionIcon } from '../../components/EmotionIcon';
import prose from '../../components/prose.module.css';
import text from '../../components/text.module.css';
import type { Emotion } from '../../lib/api';
import { emotionName } from '../../lib/emotions';
import { certainty, clock, number, percent } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import type { Statistics as Figures } from './history';
import css from './live.module.css';

/** Statistics of a running or ended live session. */
export function Statistics({ figures, seconds }: { figures: Figures; seconds: number }) {
  const { live } = useWords();
  const times = Object.entries(figures.seconds).toSorted(([, one], [, other]) => other - one) as [Emotion, number][];
  return (
    <div className={css.statistics} data-testid="statistics">
      <dl className={prose.figures}>
        <Figure name={live.heard} value={clock(seconds)} />
        <Figure name={live.speech} value={percent(figures.speech)} />
        <Figure name={live.confidence} value={figures.confidence === null ? '–' : certainty(figures.confidence)} />
        <Figure name={live.transitions} value={number(figures.transitions)} />
      </dl>
      {times.length > 0 && (
        <ul aria-label={live.times}>
          {times.map(([emotion, time]) => (
            <li key={emotion}>
              <EmotionIcon emotion={emotion} size={16} /> {emotionName(emotion)} <span className={text.numbers}>{clock(time)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={text.numbers}>{value}</dd>
    </div>
  );
}
