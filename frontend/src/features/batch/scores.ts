/** How well answers agree with labels, as the backend's metrics have it: a recording without speech counts as wrong. */
import type { Emotion, Prediction } from '../../lib/api';
import { EMOTIONS } from '../../lib/emotions';
import { parseCsv } from './csv';

export const NO_SPEECH = 'no_speech';
export type Answered = Emotion | typeof NO_SPEECH;

export interface Row {
  emotion: Emotion;
  precision: number | null;
  recall: number;
  f1: number;
  support: number;
}

export interface Report {
  /** Emotions that occur as a label, in canonical order: the rows of the matrix. */
  labels: Emotion[];
  /** What was answered: the columns. */
  answers: Answered[];
  matrix: number[][];
  rows: Row[];
  /** Mean recall, accuracy, mean F1, as shares. */
  ua: number;
  wa: number;
  f1: number;
  total: number;
}

export interface Labels {
  /** Path of a file as it was written, folded -> its emotions: more than one where lines contradict each other. */
  byPath: Map<string, Emotion[]>;
  /** Words that are no emotion, each once. */
  unknown: string[];
}

/** A recording that several labels fit equally well, or a label several recordings: nobody knows which is meant. */
export const AMBIGUOUS = 'ambiguous';
export type Truth = Emotion | typeof AMBIGUOUS;

/** Other words for the emotions, the backend's. */
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

/** Two columns: file and emotion; the first line may name them. Null where no line fits. */
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
    if (read) byPath.set(folded(name), [...new Set([...(byPath.get(folded(name)) ?? []), read])]);
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

/** Which recording has which label, by id: the one whose path agrees furthest from its end, as labels rarely have the
 * folders that files have. A label that another recording fits better is that one's. */
export function matched(recordings: readonly Recording[], { byPath }: Labels): Map<number, Truth> {
  const labels = indexed([...byPath.keys()].map((path) => [path, path]));
  const files = indexed(recordings.map((one) => [folded(one.path), identity(one)]));
  const closest = (path: string, among: Map<string, unknown>) => endings(path).find((ending) => among.has(ending));
  const paths = new Map(recordings.map((one) => [identity(one), folded(one.path)]));
  const truths = new Map<number, Truth>();
  for (const one of recordings) {
    const ending = closest(folded(one.path), labels);
    if (ending === undefined) continue;
    const fitting = [...labels.get(ending)!].filter((label) => closest(label, files) === ending);
    if (!fitting.length) continue;
    const rivals = [...files.get(ending)!].filter((other) => closest(paths.get(other)!, labels) === ending);
    const emotions = new Set(fitting.flatMap((label) => byPath.get(label)!));
    truths.set(one.id, emotions.size > 1 || rivals.length > fitting.length ? AMBIGUOUS : [...emotions][0]!);
  }
  return truths;
}

/** Every ending of the paths -> what ends like that. */
function indexed(paths: [path: string, value: string][]): Map<string, Set<string>> {
  const index = new Map<string, Set<string>>();
  for (const [path, value] of paths) {
    for (const ending of endings(path)) index.set(ending, (index.get(ending) ?? new Set()).add(value));
  }
  return index;
}

/** "a/b/clip.wav" -> itself, "b/clip.wav", "clip.wav" */
function endings(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, i) => parts.slice(i).join('/'));
}

/** "A\\b\\Clip.WAV" -> "a/b/clip.wav" */
function folded(path: string): string {
  return path
    .normalize()
    .toLowerCase()
    .split(/[\\/]+/)
    .filter((part) => part && part !== '.')
    .join('/');
}

/** The same file chosen twice is one; two files chosen by hand may share a name and are two. */
function identity({ path, file }: Recording): string {
  return [folded(path), file.size, file.lastModified].join('\n');
}

/** What an answer is measured against; calm counts as neutral for a model without it, null is no class of the model's. */
export function relabel(emotion: Emotion, known: readonly Emotion[]): Emotion | null {
  if (known.includes(emotion)) return emotion;
  return emotion === 'calm' && known.includes('neutral') ? 'neutral' : null;
}

export function answered({ state, emotion }: Prediction): Answered {
  return state === 'no_speech' || !emotion ? NO_SPEECH : emotion;
}

/** Null without a pair. */
export function score(pairs: { truth: Emotion; answer: Answered }[]): Report | null {
  if (!pairs.length) return null;
  const labels = EMOTIONS.filter((emotion) => pairs.some(({ truth }) => truth === emotion));
  const answers = [...EMOTIONS, NO_SPEECH as Answered].filter(
    (answer) => labels.includes(answer as Emotion) || pairs.some((pair) => pair.answer === answer),
  );
  const count = (truth: Emotion, answer: Answered) => pairs.filter((pair) => pair.truth === truth && pair.answer === answer).length;
  const matrix = labels.map((truth) => answers.map((answer) => count(truth, answer)));
  const rows = labels.map((emotion, i) => rowOf(emotion, matrix, i, answers.indexOf(emotion)));
  const mean = (pick: (row: Row) => number) => rows.reduce((sum, row) => sum + pick(row), 0) / rows.length;
  const right = pairs.filter(({ truth, answer }) => truth === answer).length;
  return {
    labels,
    answers,
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
