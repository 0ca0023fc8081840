import { Button, FileButton, Progress, Text } from '@mantine/core';
import { IconDownload, IconListCheck, IconPlayerStop, IconRefresh, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import clsx from 'clsx';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore, type ComponentProps, type ReactNode } from 'react';
import layout from '../../components/layout.module.css';
import { Link } from '../../components/Link';
import text from '../../components/text.module.css';
import { useAnnounced } from '../../lib/announce';
import { deleteProfile, makeProfile, modelsQuery, predict, type Emotion, type Limits, type Model } from '../../lib/api';
import { explain } from '../../lib/api/problems';
import { saveFile } from '../../lib/download';
import { useKeptFocus } from '../../lib/focus';
import { useWords } from '../../lib/i18n/language';
import { groupOf, suggestedAdaptation, type Adaptation, type ProfileRequests } from './adaptation';
import { AdaptationPicker } from './AdaptationPicker';
import css from './batch.module.css';
import { BatchDropArea } from './BatchDropArea';
import { batchState } from './batchState';
import { Distribution } from './Distribution';
import type { AdaptationStatus, Item, Queue } from './queue';
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

/** The Batch view: analyses many files and compares the results with labels. The server stores neither; while files are
 * adapted to their speaker, it stores a temporary profile. */
export function Batch({ limits, model, emotions, blocked, setup }: Props) {
  const { batch: words, model: modelWords } = useWords();
  const { queue } = batchState;
  const { data, isPending } = useQuery(modelsQuery);
  const models = data?.models ?? NONE;
  const [chosen, setChosen] = useState(batchState.adaptation);
  useEffect(() => {
    if (blocked || isPending) return;
    const profiles = model?.profiles ? profilesOf(model.name) : undefined;
    const requests = {
      model: model?.name,
      predict: (file: File, signal: AbortSignal, speaker?: string) => predict(file, { model: model?.name, emotions, speaker, signal }),
      profiles,
    };
    queue.configure(requests, { limits, adaptation: chosen });
  }, [queue, model, emotions, blocked, isPending, limits, chosen]);
  const items = useSyncExternalStore(queue.subscribe, queue.snapshot);
  const adaptationStatus = useSyncExternalStore(queue.subscribe, queue.adaptationStatus);
  const [labels, setLabels] = useState(batchState.labels);
  const [unread, setUnread] = useState(false);
  const [filter, setFilter] = useState<Filter>('all');
  const suggested = useMemo(() => suggestedAdaptation(items.map(({ path }) => path)), [items]);
  const adaptation = model?.profiles ? (chosen ?? suggested) : 'off';
  const chooseAdaptation = (value: Adaptation) => {
    batchState.adaptation = value;
    setChosen(value);
  };
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
      {model && <AdaptationPicker model={model} adaptation={adaptation} onChoose={chooseAdaptation} />}
      {items.length > 0 && (
        <section className={layout.card} aria-label={words.results} {...kept}>
          <QueueState items={items} titles={titles} />
          <AdaptationState status={adaptationStatus} />
          <div className={clsx(layout.actions, css.batchActions)}>
            <LabelsButton onFile={(file) => void takeLabels(file)} />
            <Button
              variant="default"
              leftSection={<IconDownload aria-hidden size={16} />}
              onClick={() => saveFile(toCsv(items, truths, models), 'emotions.csv', 'text/csv;charset=utf-8')}
            >
              {words.csv}
            </Button>
            <QueueActions items={items} queue={queue} adaptation={adaptation} />
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

/** Requests of the temporary profiles of a model. */
const profilesOf = (model: string): ProfileRequests => ({
  make: (name, files, signal, onSent) => makeProfile({ name, model, files, signal, onProgress: (share) => share === 1 && onSent() }),
  remove: deleteProfile,
});

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

/** What the user should know about the adaptation to speakers. */
function AdaptationState({ status: { preparing, unadapted, undeleted } }: { status: AdaptationStatus }) {
  const {
    batch: { adapt },
  } = useWords();
  const failures = [
    ...unadapted.map(({ group, error }) => adapt.failed(group, explain(error).title)),
    ...undeleted.map((name) => adapt.left(name)),
  ];
  return (
    <>
      {preparing !== null && (
        <Text size="sm" c="dimmed" mt={6}>
          {adapt.preparing(preparing)}
        </Text>
      )}
      {failures.length > 0 && (
        <ul role="alert" className={clsx(layout.warnings, css.notes)}>
          {failures.map((failure) => (
            <li key={failure}>{failure}</li>
          ))}
        </ul>
      )}
    </>
  );
}

interface QueueActionsProps {
  items: readonly Item[];
  queue: Queue;
  adaptation: Adaptation;
}

function QueueActions({ items, queue, adaptation }: QueueActionsProps) {
  const { batch: words } = useWords();
  const busy = items.some(({ state }) => state === 'waiting' || state === 'running');
  const unanswered = items.some(({ state }) => state === 'failed' || state === 'cancelled');
  const outdated = items.filter(({ state, path, group }) => state === 'done' && group !== groupOf(path, adaptation));
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
      {!busy && outdated.length > 0 && (
        <Button
          variant="default"
          leftSection={<IconRefresh aria-hidden size={16} />}
          onClick={() => queue.repeat(new Set(outdated.map(({ id }) => id)))}
        >
          {words.adapt.again}
        </Button>
      )}
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
