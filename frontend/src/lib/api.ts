/** The only file that knows addresses. Types come from the backend's OpenAPI document (`npm run api-types`). */
import { queryOptions } from '@tanstack/react-query';
import type { components } from './api-types';

type Schemas = components['schemas'];
export type Prediction = Schemas['Prediction'];
export type Segment = Schemas['Segment'];
export type Model = Schemas['Model'];
export type Figure = Schemas['Figure'];
export type Limits = Schemas['Limits'];
export type Emotion = NonNullable<Prediction['emotion']>;

export interface Sample {
  file: string;
  title: string;
  intended: Emotion;
  note: string;
}

/** Something went wrong; `code` is the server's, or "network", "cancelled" or "server_answer". */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    detail: string,
    readonly requestId?: string,
  ) {
    super(detail);
  }
}

export interface Analysis {
  prediction: Prediction;
  /** From sending to the answer, ms. */
  milliseconds: number;
}

export interface AnalyseOptions {
  model?: string;
  signal?: AbortSignal;
  /** Called with the share of the upload that has been sent, 0 to 1. */
  onProgress?: (share: number) => void;
}

/** Room that the multipart form takes beside the recording. */
const FORM_BYTES = 1024;

/** Sends a recording. XMLHttpRequest, as fetch says nothing about the progress of an upload. */
export function analyse(file: File, { model, signal, onProgress }: AnalyseOptions = {}): Promise<Analysis> {
  const form = new FormData();
  form.append('file', file, file.name);
  if (model) form.append('model', model);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/upload');
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(total ? loaded / total : 0);
    request.onload = () => {
      const body = parse(request.responseText);
      if (request.status === 200 && body) resolve({ prediction: body as Prediction, milliseconds: performance.now() - began });
      else reject(problem(request.status, body));
    };
    request.onerror = () => reject(new ApiError('network', 'The server did not answer.'));
    request.onabort = () => reject(new ApiError('cancelled', 'You stopped it.'));
    signal?.addEventListener('abort', () => request.abort());
    request.send(form);
  });
}

/** The same limit as the server's, so that a large file is not sent in vain. */
export function tooLarge(file: File, limits: Limits): ApiError | null {
  if (file.size + FORM_BYTES <= limits.max_upload_bytes) return null;
  const [size, most] = [file.size, limits.max_upload_bytes].map((bytes) => (bytes / 1024 / 1024).toFixed(1));
  return new ApiError('body_too_large', `The file has ${size} MiB; at most ${most} MiB are accepted.`);
}

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: () => get<Schemas['Models']>('/api/v1/models'),
});

export const limitsQuery = queryOptions({ queryKey: ['limits'], queryFn: () => get<Limits>('/api/v1/limits') });

export const samplesQuery = queryOptions({
  queryKey: ['samples'],
  queryFn: () => get<Sample[]>('/samples/index.json'),
});

export async function fetchSample(sample: Sample): Promise<File> {
  const answer = await send(`/samples/${sample.file}`);
  return new File([await answer.blob()], sample.file, { type: 'audio/wav' });
}

async function get<Shape>(path: string): Promise<Shape> {
  return (await (await send(path)).json()) as Shape;
}

async function send(path: string): Promise<Response> {
  const answer = await fetch(path).catch(() => {
    throw new ApiError('network', 'The server did not answer.');
  });
  if (!answer.ok) throw problem(answer.status, parse(await answer.text()));
  return answer;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function problem(status: number, body: unknown): ApiError {
  const { code, detail, request_id } = (body ?? {}) as Partial<Schemas['Problem']>;
  if (!code || !detail) return new ApiError('server_answer', `The server answered with status ${status}.`);
  return new ApiError(code, detail, request_id);
}
