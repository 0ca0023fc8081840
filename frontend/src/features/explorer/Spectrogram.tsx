import { memo, useCallback, useEffect, useRef, useState } from 'react';
import { Canvas, type Draw } from '../../components/Canvas';
import type { View } from '../../lib/audio/axis';
import { marks, type Kind, type Picture, type Wanted } from '../../lib/audio/spectrum';
import css from './explorer.module.css';
import { paint } from './paint';
import type { WorkerRequest, WorkerResponse } from './spectrogram.worker';
import { DECODED_HERTZ } from './useSound';

export const SPECTROGRAM_PIXELS = 132;
const COLUMNS = 900;

interface Props {
  samples: Float32Array;
  view: View;
  kind: Kind;
  /** Receives each computed spectrogram, for the PNG. */
  onPicture: (picture: Picture, view: View) => void;
}

/** Spectrogram of the visible range. */
export const Spectrogram = memo(function Spectrogram({ samples, view, kind, onPicture }: Props) {
  const [shown, setShown] = useState<WorkerResponse | null>(null);
  const receive = useCallback(
    (response: WorkerResponse) => {
      setShown(response);
      onPicture(response.picture, response.wanted);
    },
    [onPicture],
  );
  useWorker(samples, view, kind, receive);
  const draw = useCallback<Draw>(
    (context, width, height) => {
      if (!shown) return;
      // stretches the old spectrogram to its place until the new one is computed
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

/** Runs one worker per recording, which computes one view at a time; only the latest pending request is kept. */
function useWorker(samples: Float32Array, view: View, kind: Kind, receive: (response: WorkerResponse) => void) {
  const worker = useRef<Worker | null>(null);
  const next = useRef<Wanted | null>(null);
  const busy = useRef(false);
  const sendNext = useCallback(() => {
    if (busy.current || !next.current || !worker.current) return;
    busy.current = true;
    worker.current.postMessage({ wanted: next.current } satisfies WorkerRequest);
    next.current = null;
  }, []);
  useEffect(() => {
    const created = new Worker(new URL('./spectrogram.worker.ts', import.meta.url), { type: 'module' });
    created.postMessage({ samples, sampleRate: DECODED_HERTZ } satisfies WorkerRequest);
    worker.current = created;
    busy.current = false;
    created.onmessage = ({ data }: MessageEvent<WorkerResponse>) => {
      busy.current = false;
      receive(data);
      sendNext();
    };
    return () => created.terminate();
  }, [samples, receive, sendNext]);
  useEffect(() => {
    next.current = { kind, from: view.from, to: view.to, columns: COLUMNS };
    sendNext();
  }, [samples, view, kind, sendNext]);
}
