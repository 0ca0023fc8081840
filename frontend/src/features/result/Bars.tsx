import { Text } from '@mantine/core';
import { EmotionIcon } from '../../components/EmotionIcon';
import { emotionColor, emotionName, ranked } from '../../lib/emotions';
import { percent } from '../../lib/format';

/** Every emotion with its probability, likeliest first. */
export function Bars({ probabilities }: { probabilities: Record<string, number> }) {
  const rows = ranked(probabilities);
  if (!rows.length) return null;
  return (
    <ol className="bars" aria-label="Probability of each emotion">
      {rows.map(([emotion, share]) => (
        <li key={emotion} className="bar-row">
          <span className="bar-name">
            <EmotionIcon emotion={emotion} size={20} />
            {emotionName(emotion)}
          </span>
          <span className="bar-track" aria-hidden>
            <span className="bar-fill" style={{ width: `${100 * share}%`, background: emotionColor(emotion) }} />
          </span>
          <Text span size="sm" className="numbers bar-value">
            {percent(share)}
          </Text>
        </li>
      ))}
    </ol>
  );
}
