import { memo, useCallback } from 'react';
import { Canvas, token, type Draw } from '../../components/Canvas';
import type { Attention as Weights } from '../../lib/api';
import { share, type View } from '../../lib/audio/axis';
import css from './explorer.module.css';
import { WAVE_PIXELS } from './useSound';

/** The model's attention or saliency over time, as translucent bars over the waveform. */
export const Attention = memo(function Attention({ attention, view }: { attention: Weights; view: View }) {
  const draw = useCallback<Draw>(
    (context, width, height) => {
      const most = Math.max(...attention.weight, Number.EPSILON);
      context.fillStyle = token('--attention');
      attention.weight.forEach((weight, i) => {
        const left = share(view, attention.start[i]!) * width;
        const right = share(view, attention.end[i]!) * width;
        if (right < 0 || left > width) return;
        const tall = (weight / most) * height;
        context.fillRect(left, height - tall, Math.max(1, right - left), tall);
      });
    },
    [attention, view],
  );
  return (
    <div className={css.attention} data-testid="attention">
      <Canvas height={WAVE_PIXELS} draw={draw} />
    </div>
  );
});
