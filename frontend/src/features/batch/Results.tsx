import { ActionIcon, Loader, Select, Table, Text, TextInput, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconArrowsSort, IconRefresh, IconSearch, IconX } from '@tabler/icons-react';
import clsx from 'clsx';
import { useState } from 'react';
import bars from '../../components/Bars.module.css';
import { Caution } from '../../components/Caution';
import { EmotionIcon } from '../../components/EmotionIcon';
import layout from '../../components/layout.module.css';
import text from '../../components/text.module.css';
import type { ApiError, Model, Prediction } from '../../lib/api';
import { explain } from '../../lib/api/problems';
import { EMOTIONS, emotionName } from '../../lib/emotions';
import { useKeptFocus } from '../../lib/focus';
import { amount, certainty, duration } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import css from './batch.module.css';
import type { Item } from './queue';
import { AMBIGUOUS, type Truth } from './scores';
import { modelNames, sortAndFilter, titleOf, type Column, type Filter, type Order } from './table';
import { useRowWindow, type RowPlace } from './useRowWindow';

interface Props {
  items: readonly Item[];
  filter: Filter;
  onFilter: (filter: Filter) => void;
  /** Label of each item by id; null if no labels are loaded. */
  truths: Map<number, Truth> | null;
  models: readonly Model[];
  onCancel: (id: number) => void;
  onRetry: (id: number) => void;
}

/** Sortable, searchable table of all files with their results or errors. */
export function Results({ items, filter, onFilter, truths, models, onCancel, onRetry }: Props) {
  const { batch: words, unsure, noSpeech } = useWords();
  const [order, setOrder] = useState<Order>({ column: 'file', down: false });
  const [search, setSearch] = useState('');
  const kept = useKeptFocus();
  const rows = sortAndFilter(items, order, filter, search);
  const { body, parts, onFocus } = useRowWindow(rows.map(({ id }) => id));
  const several = modelNames(items).length > 1;
  const adapted = items.some(({ prediction }) => prediction && prediction.adapted_seconds > 0);
  const columns: Column[] = [
    ...(['file', 'emotion', 'confidence'] as const),
    ...(adapted ? (['adapted'] as const) : []),
    ...(several ? (['model'] as const) : []),
    ...(['duration', 'state'] as const),
  ];
  const row = (item: Item, place?: RowPlace) => (
    <ResultRow key={item.id} {...{ item, place, adapted, several, truths, models, onCancel, onRetry }} />
  );
  return (
    <div {...kept}>
      <div className={layout.listHead}>
        <TextInput
          type="search"
          aria-label={words.search}
          placeholder={words.search}
          leftSection={<IconSearch aria-hidden size={16} />}
          value={search}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
        />
        <Select
          aria-label={words.filter}
          allowDeselect={false}
          value={filter}
          onChange={(value) => value && onFilter(value)}
          data={[
            { value: 'all', label: words.all },
            ...EMOTIONS.map((value) => ({ value, label: emotionName(value) })),
            { value: 'unsure', label: unsure },
            { value: 'no_speech', label: noSpeech },
            { value: 'failed', label: words.failed },
          ]}
        />
      </div>
      <Table.ScrollContainer minWidth={760} scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': words.results } }}>
        <Table fz="sm" verticalSpacing={6} aria-rowcount={parts && rows.length + 1}>
          <Table.Thead>
            <Table.Tr>
              {columns.map((column) => (
                <Head key={column} column={column} order={order} onOrder={setOrder} />
              ))}
              {truths && <Table.Th scope="col">{words.label}</Table.Th>}
              <Table.Th scope="col">{words.do}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody ref={body} onFocus={onFocus}>
            {parts
              ? parts.map((part) => ('room' in part ? <SpacerRow key={part.key} height={part.room} /> : row(rows[part.index]!, part)))
              : rows.map((item) => row(item))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </div>
  );
}

function Head({ column, order, onOrder }: { column: Column; order: Order; onOrder: (order: Order) => void }) {
  const { batch: words } = useWords();
  const sorted = order.column === column;
  const Icon = !sorted ? IconArrowsSort : order.down ? IconArrowDown : IconArrowUp;
  return (
    <Table.Th scope="col" aria-sort={sorted ? (order.down ? 'descending' : 'ascending') : 'none'}>
      <UnstyledButton className={css.sorter} onClick={() => onOrder({ column, down: sorted ? !order.down : column === 'confidence' })}>
        {words.columns[column]} <Icon aria-hidden size={14} />
      </UnstyledButton>
    </Table.Th>
  );
}

/** Stands in for rows that are not rendered. */
function SpacerRow({ height }: { height: number }) {
  return (
    <tr aria-hidden>
      <td style={{ height }} />
    </tr>
  );
}

interface RowProps extends Pick<Props, 'truths' | 'models' | 'onCancel' | 'onRetry'> {
  item: Item;
  /** Its position, if only part of the table is rendered. */
  place?: RowPlace;
  /** Whether some results are adapted to their speaker. */
  adapted: boolean;
  /** Whether the results come from several models, so that each row names its model. */
  several: boolean;
}

function ResultRow({ item, place, adapted, several, truths, models, onCancel, onRetry }: RowProps) {
  const { batch: words } = useWords();
  const { id, path, state, prediction, error } = item;
  const truth = truths?.get(id);
  return (
    <Table.Tr ref={place?.measure} data-index={place?.index} data-id={id} aria-rowindex={place && place.index + 2}>
      {/* receives focus when the button of its row is removed */}
      <Table.Th scope="row" fw={500} className={css.fileCell} tabIndex={-1}>
        {path}
      </Table.Th>
      <Table.Td>
        <Outcome item={item} />
      </Table.Td>
      <Table.Td className={text.numbers}>{prediction?.confidence != null && certainty(prediction.confidence)}</Table.Td>
      {adapted && (
        <Table.Td className={text.numbers}>{prediction && prediction.adapted_seconds > 0 && amount(prediction.adapted_seconds)}</Table.Td>
      )}
      {several && <Table.Td>{prediction && titleOf(models, prediction.model)}</Table.Td>}
      <Table.Td className={text.numbers}>{prediction && duration(prediction.duration_seconds)}</Table.Td>
      <Table.Td className={css.stateCell}>
        {state === 'running' && <Loader size={14} aria-hidden mr={6} />}
        {error ? <Failure error={error} /> : words.states[state]}
        {prediction && <Cautions prediction={prediction} />}
      </Table.Td>
      {truths && <Table.Td>{truth && (truth === AMBIGUOUS ? words.ambiguousLabel : emotionName(truth))}</Table.Td>}
      <Table.Td>
        {(state === 'waiting' || state === 'running') && (
          <ActionIcon variant="subtle" aria-label={words.cancelIt(path)} onClick={() => onCancel(id)}>
            <IconX aria-hidden size={16} />
          </ActionIcon>
        )}
        {(state === 'failed' || state === 'cancelled') && (
          <ActionIcon variant="subtle" aria-label={words.retryIt(path)} onClick={() => onRetry(id)}>
            <IconRefresh aria-hidden size={16} />
          </ActionIcon>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function Failure({ error }: { error: ApiError }) {
  const { title, detail } = explain(error);
  return (
    <>
      <span className={text.complaint}>{title}</span>
      <Text size="xs" c="dimmed">
        {detail}
      </Text>
    </>
  );
}

function Cautions({ prediction: { warnings, warning_codes: codes } }: { prediction: Prediction }) {
  return warnings.map((warning, i) => (
    <Text key={warning} size="xs" c="dimmed">
      <Caution code={codes[i]} serverMessage={warning} />
    </Text>
  ));
}

function Outcome({ item: { prediction } }: { item: Item }) {
  const { unsure, noSpeech, explorer } = useWords();
  if (!prediction) return null;
  if (prediction.state === 'no_speech' || !prediction.emotion) return noSpeech;
  return (
    <span className={clsx(bars.barName, css.answer)}>
      <EmotionIcon emotion={prediction.emotion} size={18} />
      {prediction.state === 'unsure' ? `${unsure}: ${explorer.perhaps(emotionName(prediction.emotion))}` : emotionName(prediction.emotion)}
    </span>
  );
}
