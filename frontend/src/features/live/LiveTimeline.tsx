import { useCallback } from 'react';
import { Canvas, token, type Draw } from '../../components/Canvas';
import { EmotionIcon } from '../../components/EmotionIcon';
import type { Emotion, Mark } from '../../lib/api';
import { ticks } from '../../lib/audio/axis';
import { emotionName } from '../../lib/emotions';
import { clock } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import { HISTORY_SECONDS, type History } from './history';
import css from './live.module.css';
import { HOP_SECONDS } from './windows';

const LANE_PIXELS = 22;
const AXIS_PIXELS = 22;
const MIN_SPAN_SECONDS = 60;

interface Props {
  history: History;
  /** Number of results in `history`; triggers a redraw, because `history` is mutated in place. */
  windows: number;
  /** Length of the recorded audio in whole seconds. */
  seconds: number;
  emotions: readonly Emotion[];
  marks: Mark[];
}

/** One lane per emotion over time: opacity shows the probability, a bar marks the most likely emotion. */
export function LiveTimeline({ history, windows, seconds, emotions, marks }: Props) {
  const { live } = useWords();
  const draw = useCallback<Draw>(
    (context, width, height) => {
      if (windows < 0) return;
      const to = Math.max(seconds, MIN_SPAN_SECONDS);
      const from = Math.max(0, to - HISTORY_SECONDS);
      const x = (time: number) => ((time - from) / (to - from)) * width;
      drawAxis(context, width, height, { from, to });
      const colours = emotions.map((one) => token(`--emotion-${one}`)); // read once rather than per cell
      for (const { end, probabilities, emotion, state } of history.windows) {
        const [left, right] = [x(Math.max(end - HOP_SECONDS, 0)), x(end)];
        emotions.forEach((one, lane) => {
          const share = probabilities[one] ?? 0;
          context.fillStyle = colours[lane]!;
          context.globalAlpha = 0.7 * share;
          context.fillRect(left, lane * LANE_PIXELS + 1, right - left + 0.5, LANE_PIXELS - 2);
          if (one !== emotion) return;
          context.globalAlpha = state === 'emotion' ? 1 : 0.5;
          context.fillRect(left, lane * LANE_PIXELS + LANE_PIXELS - 6, right - left + 0.5, 5);
        });
        context.globalAlpha = 1;
      }
      context.fillStyle = token('--ink');
      marks.forEach(({ at }) => at >= from && context.fillRect(x(at) - 1, 0, 2, height - AXIS_PIXELS));
    },
    [history, windows, seconds, emotions, marks],
  );
  return (
    <div className={css.lanes} dir="ltr" role="img" aria-label={live.timeline}>
      <ul aria-hidden>
        {emotions.map((emotion) => (
          <li key={emotion} style={{ height: LANE_PIXELS }}>
            <EmotionIcon emotion={emotion} size={16} /> <span>{emotionName(emotion)}</span>
          </li>
        ))}
      </ul>
      <Canvas height={emotions.length * LANE_PIXELS + AXIS_PIXELS} draw={draw} />
    </div>
  );
}

function drawAxis(context: CanvasRenderingContext2D, width: number, height: number, view: { from: number; to: number }) {
  context.font = '12px system-ui, sans-serif';
  context.textAlign = 'center';
  for (const time of ticks(view, Math.max(2, width / 90))) {
    const at = ((time - view.from) / (view.to - view.from)) * width;
    context.fillStyle = token('--line');
    context.fillRect(at, 0, 1, height - AXIS_PIXELS);
    context.fillStyle = token('--quiet');
    context.fillText(clock(time), Math.max(14, Math.min(width - 14, at)), height - 6);
  }
}
