import { memo, useCallback, useEffect, useRef, useState } from 'react';
import { Canvas, type Draw } from '../../components/Canvas';
import type { View } from '../../lib/audio/axis';
import { marks, type Kind, type Picture, type Wanted } from '../../lib/audio/spectrum';
import css from './explorer.module.css';
import { paint } from './paint';
import type { Delivery, Order } from './spectrogram.worker';
import { DECODED_HERTZ } from './useSound';

export const SPECTROGRAM_PIXELS = 132;
const COLUMNS = 900;

interface Props {
  samples: Float32Array;
  view: View;
  kind: Kind;
  /** What was computed last, for the table and the picture. */
  onPicture: (picture: Picture, view: View) => void;
}

/** Level over time and frequency of the stretch in view. */
export const Spectrogram = memo(function Spectrogram({ samples, view, kind, onPicture }: Props) {
  const [shown, setShown] = useState<Delivery | null>(null);
  const receive = useCallback(
    (delivery: Delivery) => {
      setShown(delivery);
      onPicture(delivery.picture, delivery.wanted);
    },
    [onPicture],
  );
  useWorker(samples, view, kind, receive);
  const draw = useCallback<Draw>(
    (context, width, height) => {
      if (!shown) return;
      // until the new view is computed, the old picture is stretched to where it belongs
      const scale = width / (view.to - view.from);
      const { from, to } = shown.wanted;
      context.drawImage(paint(shown.picture), (from - view.from) * scale, 0, (to - from) * scale, height);
    },
    [shown, view],
  );
  return (
    <div className={css.spectrogram} data-testid="spectrogram">
      <Canvas height={SPECTROGRAM_PIXELS} draw={draw} />
      <span className={css.scale} aria-hidden>
        {marks(kind, DECODED_HERTZ).map(({ text, height }) => (
          <span key={text} style={{ bottom: `${100 * height}%` }}>
            {text}
          </span>
        ))}
      </span>
    </div>
  );
});

/** One worker as long as the component lives; it computes one view at a time, and next the latest that was asked for. */
function useWorker(samples: Float32Array, view: View, kind: Kind, receive: (delivery: Delivery) => void) {
  const worker = useRef<Worker | null>(null);
  const next = useRef<Wanted | null>(null);
  const busy = useRef(false);
  const ask = useCallback(() => {
    if (busy.current || !next.current || !worker.current) return;
    busy.current = true;
    worker.current.postMessage({ wanted: next.current } satisfies Order);
    next.current = null;
  }, []);
  useEffect(() => {
    const made = new Worker(new URL('./spectrogram.worker.ts', import.meta.url), { type: 'module' });
    made.postMessage({ samples, sampleRate: DECODED_HERTZ } satisfies Order);
    worker.current = made;
    busy.current = false;
    made.onmessage = ({ data }: MessageEvent<Delivery>) => {
      busy.current = false;
      receive(data);
      ask();
    };
    return () => made.terminate();
  }, [samples, receive, ask]);
  useEffect(() => {
    next.current = { kind, from: view.from, to: view.to, columns: COLUMNS };
    ask();
  }, [samples, view, kind, ask]);
}
