/** The rows of the table: sorted, filtered, and as CSV. */
import type { Emotion } from '../../lib/api';
import { writeCsv } from '../../lib/csv';
import { EMOTIONS } from '../../lib/emotions';
import { answered, baseName, relabel, score, type Labels, type Report } from '../../lib/scores';
import type { Item } from './queue';

export type Column = 'file' | 'state' | 'emotion' | 'confidence' | 'duration';
export interface Order {
  column: Column;
  down: boolean;
}
/** An emotion, a state, or everything. */
export type Filter = 'all' | 'unsure' | 'no_speech' | 'failed' | Emotion;

const VALUES: Record<Column, (item: Item) => string | number> = {
  file: ({ path }) => path,
  state: ({ state }) => state,
  emotion: ({ prediction }) => prediction?.emotion ?? '',
  confidence: ({ prediction }) => prediction?.confidence ?? -1,
  duration: ({ prediction }) => prediction?.duration_seconds ?? -1,
};

export function arranged(items: readonly Item[], { column, down }: Order, filter: Filter, search: string): Item[] {
  const value = VALUES[column];
  const wanted = search.trim().toLowerCase();
  return items
    .filter((item) => fits(item, filter) && item.path.toLowerCase().includes(wanted))
    .toSorted((one, other) => compare(value(one), value(other)) * (down ? -1 : 1) || one.id - other.id);
}

function fits({ state, prediction }: Item, filter: Filter): boolean {
  if (filter === 'all') return true;
  if (filter === 'failed') return state === 'failed' || state === 'cancelled';
  if (filter === 'unsure' || filter === 'no_speech') return prediction?.state === filter;
  return prediction?.state === 'emotion' && prediction.emotion === filter;
}

function compare(one: string | number, other: string | number): number {
  return typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true });
}

/** How many recordings carry what, in the order of the emotions. */
export function distribution(items: readonly Item[]): { key: Filter; count: number }[] {
  const keys: Filter[] = [...EMOTIONS, 'unsure', 'no_speech'];
  return keys.map((key) => ({ key, count: items.filter((item) => fits(item, key)).length })).filter(({ count }) => count > 0);
}

export function toCsv(items: readonly Item[], labels: Labels | null): string {
  const head = ['file', 'state', 'emotion', 'confidence', 'candidates', 'model', 'duration_seconds', 'speech_seconds', 'warnings'];
  const shares = EMOTIONS.map((emotion) => `probability_${emotion}`);
  const rows = items.map(({ path, state, prediction, error }) => [
    path,
    prediction?.state ?? state,
    prediction?.emotion ?? null,
    prediction?.confidence ?? null,
    prediction?.candidates.join(';') ?? null,
    prediction?.model ?? null,
    prediction?.duration_seconds ?? null,
    prediction?.speech_seconds ?? null,
    prediction?.warnings.join(';') ?? null,
    ...EMOTIONS.map((emotion) => prediction?.probabilities[emotion] ?? null),
    error?.message ?? null,
    ...(labels ? [labels.byFile.get(baseName(path)) ?? null] : []),
  ]);
  return writeCsv([[...head, ...shares, 'error', ...(labels ? ['label'] : [])], ...rows]);
}

export interface Compared {
  report: Report | null;
  /** Answers without a label, and labels that the model has no class for. */
  unlabelled: number;
  outside: number;
}

export function compared(items: readonly Item[], labels: Labels, known: readonly Emotion[]): Compared {
  let [unlabelled, outside] = [0, 0];
  const pairs = items.flatMap(({ path, prediction }) => {
    if (!prediction) return [];
    const label = labels.byFile.get(baseName(path));
    if (!label) unlabelled += 1;
    const truth = label && relabel(label, known);
    if (label && !truth) outside += 1;
    return truth ? [{ truth, answer: answered(prediction) }] : [];
  });
  return { report: score(pairs), unlabelled, outside };
}
