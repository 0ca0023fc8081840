import { Button, FileButton, Progress, Text } from '@mantine/core';
import { IconDownload, IconListCheck, IconPlayerStop, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import clsx from 'clsx';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore, type ComponentProps, type ReactNode } from 'react';
import layout from '../../components/layout.module.css';
import { Link } from '../../components/Link';
import text from '../../components/text.module.css';
import { useAnnounced } from '../../lib/announce';
import { modelsQuery, predict, type Emotion, type Limits, type Model } from '../../lib/api';
import { saveFile } from '../../lib/download';
import { useKeptFocus } from '../../lib/focus';
import { useWords } from '../../lib/i18n/language';
import css from './batch.module.css';
import { BatchDropArea } from './BatchDropArea';
import { batchState } from './batchState';
import { Distribution } from './Distribution';
import type { Item, Queue } from './queue';
import { ReportView } from './ReportView';
import { Results } from './Results';
import { matchLabels, readLabels } from './scores';
import { modelNames, compareWithLabels, titleOf, toCsv, type Filter } from './table';

const NONE: Model[] = [];
const LABELS = { 'data-testid': 'labels' } as ComponentProps<'input'>;

interface Props {
  limits?: Limits;
  /** The selected model, used for files from now on; existing results may come from others. */
  model?: Model;
  /** Emotions to choose the results from; undefined for all. */
  emotions?: Emotion[];
  /** Whether the setup has to be corrected before more files are added. */
  blocked: boolean;
  /** Choices offered below the files. */
  setup: ReactNode;
}

/** The Batch view: analyses many files and compares the results with labels. Nothing is stored on the server. */
export function Batch({ limits, model, emotions, blocked, setup }: Props) {
  const { batch: words, model: modelWords } = useWords();
  const { queue } = batchState;
  const { data } = useQuery(modelsQuery);
  const models = data?.models ?? NONE;
  useEffect(() => {
    if (!blocked) queue.configure((file, signal) => predict(file, { model: model?.name, emotions, signal }), limits);
  }, [queue, model, emotions, blocked, limits]);
  const items = useSyncExternalStore(queue.subscribe, queue.snapshot);
  const [labels, setLabels] = useState(batchState.labels);
  const [unread, setUnread] = useState(false);
  const [filter, setFilter] = useState<Filter>('all');
  const truths = useMemo(() => labels && matchLabels(items, labels), [items, labels]);
  const comparison = useMemo(() => truths && compareWithLabels(items, truths, models), [items, truths, models]);
  const titles = modelNames(items).map((name) => titleOf(models, name));
  const kept = useKeptFocus();
  const takeLabels = async (file: File) => {
    const read = readLabels(await file.text());
    setUnread(!read);
    if (!read) return;
    batchState.labels = read;
    setLabels(read);
  };

  return (
    <>
      <div className={layout.intro}>
        <h2>{words.title}</h2>
        <p>{words.subtitle}</p>
        {model && (
          <Text size="sm" c="dimmed" mt={6}>
            {modelWords.only(model.title)} {models.length > 1 && <Link href="/">{words.otherModel}</Link>}
          </Text>
        )}
      </div>
      <BatchDropArea compact={items.length > 0} blocked={blocked} onFiles={(files) => queue.add(files)} />
      {setup}
      {items.length > 0 && (
        <section className={layout.card} aria-label={words.results} {...kept}>
          <QueueState items={items} titles={titles} />
          <div className={clsx(layout.actions, css.batchActions)}>
            <LabelsButton onFile={(file) => void takeLabels(file)} />
            <Button
              variant="default"
              leftSection={<IconDownload aria-hidden size={16} />}
              onClick={() => saveFile(toCsv(items, truths, models), 'emotions.csv', 'text/csv;charset=utf-8')}
            >
              {words.csv}
            </Button>
            <QueueActions items={items} queue={queue} />
          </div>
          {unread && (
            <Text role="alert" className={text.complaint}>
              {words.labelsUnread}
            </Text>
          )}
          <Distribution items={items} filter={filter} onFilter={setFilter} />
          <Results
            items={items}
            filter={filter}
            onFilter={setFilter}
            truths={truths}
            models={models}
            onCancel={(id) => queue.cancel(id)}
            onRetry={(id) => queue.retry(id)}
          />
        </section>
      )}
      {labels && comparison && items.length > 0 && <ReportView comparison={comparison} titles={titles} unknown={labels.unknown} />}
    </>
  );
}

function QueueState({ items, titles }: { items: readonly Item[]; titles: string[] }) {
  const { batch: words } = useWords();
  const count = (state: Item['state']) => items.filter((item) => item.state === state).length;
  const settled = items.length - count('waiting') - count('running');
  const failures = count('failed') > 0 ? ` · ${words.failures(count('failed'))}` : '';
  const finished = words.finished(count('done'), items.length) + failures;
  useAnnounced(settled < items.length ? words.progress(0, items.length) : finished); // announced at the start and the end, not for every file
  return (
    <div className={css.batchState}>
      <Text fw={600}>{settled < items.length ? words.progress(settled, items.length) + failures : finished}</Text>
      {titles.length > 0 && (
        <Text size="sm" c="dimmed">
          {words.answeredBy(titles.join(', '))}
        </Text>
      )}
      <Progress value={(100 * settled) / items.length} aria-label={words.results} animated={settled < items.length} />
    </div>
  );
}

function QueueActions({ items, queue }: { items: readonly Item[]; queue: Queue }) {
  const { batch: words } = useWords();
  const busy = items.some(({ state }) => state === 'waiting' || state === 'running');
  const unanswered = items.some(({ state }) => state === 'failed' || state === 'cancelled');
  return (
    <>
      {/* one element for both, so that focus moves from the button removed to the one replacing it */}
      <div className={css.batchRemedy}>
        {busy && (
          <Button variant="default" leftSection={<IconPlayerStop aria-hidden size={16} />} onClick={() => queue.cancelAll()}>
            {words.cancelAll}
          </Button>
        )}
        {!busy && unanswered && (
          <Button variant="default" leftSection={<IconRefresh aria-hidden size={16} />} onClick={() => queue.retryAll()}>
            {words.retryAll}
          </Button>
        )}
      </div>
      {!busy && (
        <Button variant="default" leftSection={<IconTrash aria-hidden size={16} />} onClick={() => queue.clear()}>
          {words.clear}
        </Button>
      )}
    </>
  );
}

function LabelsButton({ onFile }: { onFile: (file: File) => void }) {
  const { batch: words } = useWords();
  const reset = useRef<() => void>(null);
  const take = (file: File | null) => {
    if (file) onFile(file);
    reset.current?.(); // allows choosing the same file again
  };
  return (
    <FileButton resetRef={reset} onChange={take} accept=".csv,.tsv,.txt,text/csv" inputProps={LABELS}>
      {(props) => (
        <Button {...props} variant="default" leftSection={<IconListCheck aria-hidden size={16} />} title={words.labelsHint}>
          {words.labels}
        </Button>
      )}
    </FileButton>
  );
}
