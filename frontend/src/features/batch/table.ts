/** Sorts, filters, counts, exports and evaluates the rows of the results table. */
import type { Emotion, Model } from '../../lib/api';
import { EMOTIONS } from '../../lib/emotions';
import { writeCsv } from './csv';
import type { Item } from './queue';
import { AMBIGUOUS, predictedClass, relabel, score, type Report, type Truth } from './scores';

export type Column = 'file' | 'state' | 'emotion' | 'confidence' | 'adapted' | 'model' | 'duration';
export interface Order {
  column: Column;
  down: boolean;
}
export type Filter = 'all' | 'unsure' | 'no_speech' | 'failed' | Emotion;

const VALUES: Record<Column, (item: Item) => string | number> = {
  file: ({ path }) => path,
  state: ({ state }) => state,
  emotion: ({ prediction }) => prediction?.emotion ?? '',
  confidence: ({ prediction }) => prediction?.confidence ?? -1,
  adapted: ({ prediction }) => prediction?.adapted_seconds ?? -1,
  model: ({ prediction }) => prediction?.model ?? '',
  duration: ({ prediction }) => prediction?.duration_seconds ?? -1,
};

export function sortAndFilter(items: readonly Item[], { column, down }: Order, filter: Filter, search: string): Item[] {
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
  return typeof one === 'number' && typeof other === 'number'
    ? one - other
    : String(one).localeCompare(String(other), undefined, { numeric: true });
}

/** Number of recordings per emotion or state, in canonical order. */
export function distribution(items: readonly Item[]): { key: Filter; count: number }[] {
  const keys: Filter[] = [...EMOTIONS, 'unsure', 'no_speech'];
  return keys.map((key) => ({ key, count: items.filter((item) => fits(item, key)).length })).filter(({ count }) => count > 0);
}

/** Distinct names of the models that gave the results. */
export function modelNames(items: readonly Item[]): string[] {
  return [...new Set(items.flatMap(({ prediction }) => prediction?.model ?? []))];
}

/** The title of a model, or its name if the server no longer has it. */
export function titleOf(models: readonly Model[], name: string): string {
  return models.find((model) => model.name === name)?.title ?? name;
}

/** Exports all rows as CSV; `truths` are the labels by id, null if none are loaded. */
export function toCsv(items: readonly Item[], truths: Map<number, Truth> | null, models: readonly Model[]): string {
  const head = [
    'file',
    'state',
    'emotion',
    'confidence',
    'candidates',
    'model',
    'model_title',
    'duration_seconds',
    'speech_seconds',
    'adapted_seconds',
    'warnings',
  ];
  const shares = EMOTIONS.map((emotion) => `probability_${emotion}`);
  const rows = items.map(({ id, path, state, prediction, error }) => [
    path,
    prediction?.state ?? state,
    prediction?.emotion ?? null,
    prediction?.confidence ?? null,
    prediction?.candidates.join(';') ?? null,
    prediction?.model ?? null,
    prediction ? titleOf(models, prediction.model) : null,
    prediction?.duration_seconds ?? null,
    prediction?.speech_seconds ?? null,
    prediction?.adapted_seconds ?? null,
    prediction?.warnings.join(';') ?? null,
    ...EMOTIONS.map((emotion) => prediction?.probabilities[emotion] ?? null),
    error?.message ?? null,
    ...(truths ? [truths.get(id) ?? null] : []),
  ]);
  return writeCsv([[...head, ...shares, 'error', ...(truths ? ['label'] : [])], ...rows]);
}

export interface Comparison {
  report: Report | null;
  /** Number of the results in the report that are adapted to their speaker. */
  adapted: number;
  /** Number of results without a label, with an ambiguous one, and with one that was not among the emotions to choose from. */
  unlabelled: number;
  ambiguous: number;
  outside: number;
}

/** Compares results with labels, using the classes of the model that gave each result, not those of the selected one. */
export function compareWithLabels(items: readonly Item[], truths: Map<number, Truth>, models: readonly Model[]): Comparison {
  const counts = { adapted: 0, unlabelled: 0, ambiguous: 0, outside: 0 };
  const pairs = items.flatMap(({ id, prediction }) => {
    if (!prediction) return [];
    const label = truths.get(id);
    if (!label) counts.unlabelled += 1;
    if (label === AMBIGUOUS) counts.ambiguous += 1;
    if (!label || label === AMBIGUOUS) return [];
    const truth = relabel(label, models.find(({ name }) => name === prediction.model)?.labels ?? EMOTIONS);
    const possible = truth !== null && (!prediction.emotions.length || prediction.emotions.includes(truth));
    if (!possible) counts.outside += 1;
    else if (prediction.adapted_seconds > 0) counts.adapted += 1;
    return possible ? [{ truth, predicted: predictedClass(prediction) }] : [];
  });
  return { report: score(pairs), ...counts };
}
