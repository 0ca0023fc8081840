import { Button, FileButton, Progress, Text } from '@mantine/core';
import { IconDownload, IconListCheck, IconPlayerStop, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import clsx from 'clsx';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore, type ComponentProps } from 'react';
import layout from '../../components/layout.module.css';
import { Link } from '../../components/Link';
import text from '../../components/text.module.css';
import { useAnnounced } from '../../lib/announce';
import { modelsQuery, predict, type Limits, type Model } from '../../lib/api';
import { saveFile } from '../../lib/download';
import { useKeptFocus } from '../../lib/focus';
import { useWords } from '../../lib/i18n/language';
import css from './batch.module.css';
import { Distribution } from './Distribution';
import { Entrance } from './Entrance';
import type { Item, Queue } from './queue';
import { ReportView } from './ReportView';
import { Results } from './Results';
import { matched, readLabels } from './scores';
import { answering, compared, titleOf, toCsv, type Filter } from './table';
import { work } from './work';

const NONE: Model[] = [];
const LABELS = { 'data-testid': 'labels' } as ComponentProps<'input'>;

interface Props {
  limits?: Limits;
  /** The chosen one: it answers from now on; what is in the table may be another's. */
  model?: Model;
}

/** Many recordings at once: a queue, a table, and with labels a report. Nothing is kept on the server. */
export function Batch({ limits, model }: Props) {
  const { batch: words, model: modelWords } = useWords();
  const { queue } = work;
  const { data } = useQuery(modelsQuery);
  const models = data?.models ?? NONE;
  useEffect(() => queue.configure((file, signal) => predict(file, { model: model?.name, signal }), limits), [queue, model, limits]);
  const items = useSyncExternalStore(queue.subscribe, queue.snapshot);
  const [labels, setLabels] = useState(work.labels);
  const [unread, setUnread] = useState(false);
  const [filter, setFilter] = useState<Filter>('all');
  const truths = useMemo(() => labels && matched(items, labels), [items, labels]);
  const comparison = useMemo(() => truths && compared(items, truths, models), [items, truths, models]);
  const titles = answering(items).map((name) => titleOf(models, name));
  const kept = useKeptFocus();
  const takeLabels = async (file: File) => {
    const read = readLabels(await file.text());
    setUnread(!read);
    if (!read) return;
    work.labels = read;
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
      <Entrance compact={items.length > 0} onFiles={(files) => queue.add(files)} />
      {items.length > 0 && (
        <section className={layout.card} aria-label={words.results} {...kept}>
          <State items={items} titles={titles} />
          <div className={clsx(layout.actions, css.batchActions)}>
            <LabelsButton onFile={(file) => void takeLabels(file)} />
            <Button
              variant="default"
              leftSection={<IconDownload aria-hidden size={16} />}
              onClick={() => saveFile(toCsv(items, truths, models), 'emotions.csv', 'text/csv;charset=utf-8')}
            >
              {words.csv}
            </Button>
            <Remedies items={items} queue={queue} />
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

function State({ items, titles }: { items: readonly Item[]; titles: string[] }) {
  const { batch: words } = useWords();
  const count = (state: Item['state']) => items.filter((item) => item.state === state).length;
  const settled = items.length - count('waiting') - count('running');
  const failures = count('failed') > 0 ? ` · ${words.failures(count('failed'))}` : '';
  const finished = words.finished(count('done'), items.length) + failures;
  useAnnounced(settled < items.length ? words.progress(0, items.length) : finished); // the beginning and the end, not every file
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

function Remedies({ items, queue }: { items: readonly Item[]; queue: Queue }) {
  const { batch: words } = useWords();
  const busy = items.some(({ state }) => state === 'waiting' || state === 'running');
  const unanswered = items.some(({ state }) => state === 'failed' || state === 'cancelled');
  return (
    <>
      {/* one place for both, so that the keyboard goes from the one that vanishes to the other */}
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
    reset.current?.(); // so that the same file can be chosen again
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
