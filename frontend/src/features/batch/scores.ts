/** Compares predictions with labels, with the same metrics as the backend: a recording without speech counts as wrong. */
import type { Emotion, Prediction } from '../../lib/api';
import { EMOTIONS } from '../../lib/emotions';
import { parseCsv } from './csv';

export const NO_SPEECH = 'no_speech';
export type PredictedClass = Emotion | typeof NO_SPEECH;

export interface Row {
  emotion: Emotion;
  precision: number | null;
  recall: number;
  f1: number;
  support: number;
}

export interface Report {
  /** Labels that occur, in canonical order: the rows of the matrix. */
  labels: Emotion[];
  /** Predicted classes: the columns of the matrix. */
  predictions: PredictedClass[];
  matrix: number[][];
  rows: Row[];
  /** Unweighted average recall (UA), accuracy (WA) and macro F1, as shares. */
  ua: number;
  wa: number;
  f1: number;
  total: number;
}

export interface Labels {
  /** Normalised path of a file -> its labels; several if lines contradict each other. */
  byPath: Map<string, Emotion[]>;
  /** Distinct words that are not a known emotion. */
  unknown: string[];
}

/** Marks a recording whose label cannot be determined, because several labels or recordings match equally well. */
export const AMBIGUOUS = 'ambiguous';
export type Truth = Emotion | typeof AMBIGUOUS;

/** Synonyms of the emotions, as in the backend. */
const SYNONYMS: Record<Emotion, string[]> = {
  angry: ['anger', 'ang', 'mad'],
  calm: ['calmness', 'relaxed'],
  disgust: ['disgusted', 'dis'],
  fearful: ['fear', 'afraid', 'scared', 'fea'],
  happy: ['happiness', 'joy', 'joyful', 'hap'],
  neutral: ['neutrality', 'neu'],
  sad: ['sadness'],
  surprised: ['surprise', 'sur'],
};

/** Reads a table of files and emotions, with or without a header. Null if no line is valid. */
export function readLabels(text: string): Labels | null {
  const rows = parseCsv(text);
  const head = rows[0]?.map((cell) => cell.toLowerCase()) ?? [];
  const named = (names: string[]) => head.findIndex((cell) => names.includes(cell));
  const [file, emotion] = [named(['file', 'path', 'filename', 'name']), named(['emotion', 'label', 'truth'])];
  const headed = file >= 0 && emotion >= 0;
  const byPath = new Map<string, Emotion[]>();
  const unknown = new Set<string>();
  for (const row of headed ? rows.slice(1) : rows) {
    const [name, word] = [row[headed ? file : 0], row[headed ? emotion : 1]];
    if (!name || !word) continue;
    const read = readEmotion(word);
    if (read) byPath.set(normalised(name), [...new Set([...(byPath.get(normalised(name)) ?? []), read])]);
    else unknown.add(word);
  }
  return byPath.size ? { byPath, unknown: [...unknown] } : null;
}

export function readEmotion(word: string): Emotion | null {
  const known = word.trim().toLowerCase();
  return EMOTIONS.find((emotion) => emotion === known || SYNONYMS[emotion].includes(known)) ?? null;
}

interface Recording {
  id: number;
  path: string;
  file: File;
}

/** Assigns labels to recordings, by id. Matches by the longest common path suffix, because folders in a labels file rarely
 * are those of the recordings. A label that fits another recording better is not assigned. */
export function matchLabels(recordings: readonly Recording[], { byPath }: Labels): Map<number, Truth> {
  const labels = indexBySuffix([...byPath.keys()].map((path) => [path, path]));
  const files = indexBySuffix(recordings.map((one) => [normalised(one.path), fileKey(one)]));
  const closest = (path: string, among: Map<string, unknown>) => suffixes(path).find((suffix) => among.has(suffix));
  const paths = new Map(recordings.map((one) => [fileKey(one), normalised(one.path)]));
  const truths = new Map<number, Truth>();
  for (const one of recordings) {
    const suffix = closest(normalised(one.path), labels);
    if (suffix === undefined) continue;
    const fitting = [...labels.get(suffix)!].filter((label) => closest(label, files) === suffix);
    if (!fitting.length) continue;
    const rivals = [...files.get(suffix)!].filter((other) => closest(paths.get(other)!, labels) === suffix);
    const emotions = new Set(fitting.flatMap((label) => byPath.get(label)!));
    truths.set(one.id, emotions.size > 1 || rivals.length > fitting.length ? AMBIGUOUS : [...emotions][0]!);
  }
  return truths;
}

/** Maps every suffix of the paths to the values of the paths that have it. */
function indexBySuffix(paths: [path: string, value: string][]): Map<string, Set<string>> {
  const index = new Map<string, Set<string>>();
  for (const [path, value] of paths) {
    for (const suffix of suffixes(path)) index.set(suffix, (index.get(suffix) ?? new Set()).add(value));
  }
  return index;
}

/** "a/b/clip.wav" -> itself, "b/clip.wav", "clip.wav" */
function suffixes(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, i) => parts.slice(i).join('/'));
}

/** "A\\b\\Clip.WAV" -> "a/b/clip.wav" */
function normalised(path: string): string {
  return path
    .normalize()
    .toLowerCase()
    .split(/[\\/]+/)
    .filter((part) => part && part !== '.')
    .join('/');
}

/** Identifies a file: chosen twice it counts once, while different files may share a name. */
function fileKey({ path, file }: Recording): string {
  return [normalised(path), file.size, file.lastModified].join('\n');
}

/** Maps a label to a class of the model: calm counts as neutral for a model without it; null if there is no such class. */
export function relabel(emotion: Emotion, known: readonly Emotion[]): Emotion | null {
  if (known.includes(emotion)) return emotion;
  return emotion === 'calm' && known.includes('neutral') ? 'neutral' : null;
}

export function predictedClass({ state, emotion }: Prediction): PredictedClass {
  return state === 'no_speech' || !emotion ? NO_SPEECH : emotion;
}

/** Computes the report; null without pairs. */
export function score(pairs: { truth: Emotion; predicted: PredictedClass }[]): Report | null {
  if (!pairs.length) return null;
  const labels = EMOTIONS.filter((emotion) => pairs.some(({ truth }) => truth === emotion));
  const predictions = [...EMOTIONS, NO_SPEECH as PredictedClass].filter(
    (prediction) => labels.includes(prediction as Emotion) || pairs.some((pair) => pair.predicted === prediction),
  );
  const count = (truth: Emotion, predicted: PredictedClass) =>
    pairs.filter((pair) => pair.truth === truth && pair.predicted === predicted).length;
  const matrix = labels.map((truth) => predictions.map((predicted) => count(truth, predicted)));
  const rows = labels.map((emotion, i) => rowOf(emotion, matrix, i, predictions.indexOf(emotion)));
  const mean = (pick: (row: Row) => number) => rows.reduce((sum, row) => sum + pick(row), 0) / rows.length;
  const right = pairs.filter(({ truth, predicted }) => truth === predicted).length;
  return {
    labels,
    predictions,
    matrix,
    rows,
    ua: mean(({ recall }) => recall),
    wa: right / pairs.length,
    f1: mean(({ f1 }) => f1),
    total: pairs.length,
  };
}

function rowOf(emotion: Emotion, matrix: number[][], row: number, column: number): Row {
  const support = matrix[row]!.reduce((sum, count) => sum + count, 0);
  const given = matrix.reduce((sum, counts) => sum + counts[column]!, 0);
  const right = matrix[row]![column]!;
  return { emotion, support, recall: right / support, precision: given ? right / given : null, f1: (2 * right) / (support + given) };
}
