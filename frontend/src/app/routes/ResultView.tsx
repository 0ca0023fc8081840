import { Button, Title } from '@mantine/core';
import layout from '../../components/layout.module.css';
import { CopyLink } from '../../features/analyse/CopyLink';
import { Result } from '../../features/analyse/Result';
import type { Analyses, AnalysisResult } from '../../features/analyse/useAnalysis';
import { Descriptors } from '../../features/descriptors/Descriptors';
import { ExportMenu } from '../../features/export/ExportMenu';
import { Statistics } from '../../features/live/Statistics';
import type { Session } from '../../lib/api';
import { useWords } from '../../lib/i18n/language';
import { lazyWithRetry } from '../lazyWithRetry';
import css from './ResultView.module.css';

const Explorer = lazyWithRetry(() => import('../../features/explorer/Explorer').then(({ Explorer: chart }) => chart));

/** The full result of one recording: the prediction, its course over time, and the acoustic descriptors. */
export function ResultView({ result, analysis }: { result: AnalysisResult; analysis: Analyses }) {
  const words = useWords();
  const { analysis: found, file, sample, session, speaker, marks, milliseconds } = result;
  const { prediction } = found;
  const key = session?.id ?? analysis.address;
  return (
    <>
      {session && (
        <Title order={2} size="h3" className={css.sessionTitle}>
          {session.title}
        </Title>
      )}
      <Result
        prediction={prediction}
        intended={sample?.intended}
        milliseconds={milliseconds}
        speaker={speaker}
        live={session?.kind === 'live'}
        actions={
          <div className={layout.actions}>
            <ExportMenu
              stem={(session?.title ?? prediction.file).replace(/\.\w+$/, '')}
              session={found.session}
              unstored={{ analysis: found, store: analysis.storeResult }}
            />
            {sample && <CopyLink path={`/?sample=${encodeURIComponent(sample.name)}`} />}
            <Button onClick={analysis.reset}>{words.result.again}</Button>
          </div>
        }
      />
      {prediction.duration_seconds > 0 && <Explorer key={key} analysis={found} file={file} marks={marks} />}
      {session?.kind === 'live' && <LiveStatistics session={session} />}
      <Descriptors descriptors={found.descriptors} curves={found.curves} length={prediction.duration_seconds} />
    </>
  );
}

function LiveStatistics({ session: { statistics, duration_seconds: length } }: { session: Session }) {
  const { live } = useWords();
  const { seconds, transitions, confidence, speech_share: speech } = statistics;
  return (
    <section className={layout.card} aria-label={live.statistics}>
      <Statistics figures={{ seconds, transitions, confidence, speech: speech / 100 }} seconds={length} />
    </section>
  );
}
