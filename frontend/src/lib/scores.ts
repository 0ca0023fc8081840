/** How well answers agree with labels, as the backend's metrics have it: a recording without speech counts as wrong. */
import type { Emotion, Prediction } from './api';
import { parseCsv } from './csv';
import { EMOTIONS } from './emotions';

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
  /** Name of a file without its folders -> its emotion. */
  byFile: Map<string, Emotion>;
  /** Words that are no emotion, each once. */
  unknown: string[];
}

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
  const byFile = new Map<string, Emotion>();
  const unknown = new Set<string>();
  for (const row of headed ? rows.slice(1) : rows) {
    const [name, word] = [row[headed ? file : 0], row[headed ? emotion : 1]];
    if (!name || !word) continue;
    const read = readEmotion(word);
    if (read) byFile.set(baseName(name), read);
    else unknown.add(word);
  }
  return byFile.size ? { byFile, unknown: [...unknown] } : null;
}

export function readEmotion(word: string): Emotion | null {
  const known = word.trim().toLowerCase();
  return EMOTIONS.find((emotion) => emotion === known || SYNONYMS[emotion].includes(known)) ?? null;
}

/** "a/b/Clip.WAV" -> "clip.wav": labels rarely have the folders that files have. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1)!.toLowerCase();
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
  return { labels, answers, matrix, rows, ua: mean(({ recall }) => recall), wa: right / pairs.length, f1: mean(({ f1 }) => f1), total: pairs.length };
}

function rowOf(emotion: Emotion, matrix: number[][], row: number, column: number): Row {
  const support = matrix[row]!.reduce((sum, count) => sum + count, 0);
  const given = matrix.reduce((sum, counts) => sum + counts[column]!, 0);
  const right = matrix[row]![column]!;
  return { emotion, support, recall: right / support, precision: given ? right / given : null, f1: (2 * right) / (support + given) };
}
