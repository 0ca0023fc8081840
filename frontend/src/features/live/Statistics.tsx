import './live.css';
import { EmotionIcon } from '../../components/EmotionIcon';
import type { Emotion } from '../../lib/api';
import { emotionName } from '../../lib/emotions';
import { certainty, clock, number, percent } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import type { Statistics as Figures } from './history';

/** A session in numbers, so far or in all. */
export function Statistics({ figures, seconds }: { figures: Figures; seconds: number }) {
  const { live } = useWords();
  const times = Object.entries(figures.seconds).toSorted(([, one], [, other]) => other - one) as [Emotion, number][];
  return (
    <div className="statistics">
      <dl className="figures">
        <Figure name={live.heard} value={clock(seconds)} />
        <Figure name={live.speech} value={percent(figures.speech)} />
        <Figure name={live.confidence} value={figures.confidence === null ? '–' : certainty(figures.confidence)} />
        <Figure name={live.transitions} value={number(figures.transitions)} />
      </dl>
      {times.length > 0 && (
        <ul aria-label={live.times}>
          {times.map(([emotion, time]) => (
            <li key={emotion}>
              <EmotionIcon emotion={emotion} size={16} /> {emotionName(emotion)} <span className="numbers">{clock(time)}</span>
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
      <dd className="numbers">{value}</dd>
    </div>
  );
}
