/** The only file that knows addresses. Types come from the backend's OpenAPI document (`npm run api-types`). */
import { queryOptions } from '@tanstack/react-query';
import type { components } from './api-types';
import { number } from './format';
import { words } from './language';
import { ApiError, get, send, upload, type Upload } from './transport';

export { ApiError, asApiError } from './transport';

type Schemas = components['schemas'];
export type Prediction = Schemas['Prediction'];
export type Segment = Schemas['Segment'];
export type Model = Schemas['Model'];
export type Figure = Schemas['Figure'];
export type Limits = Schemas['Limits'];
export type Emotion = NonNullable<Prediction['emotion']>;

export type Analysis = Schemas['Analysis'];
export type Attention = Schemas['Attention'];
export type Descriptor = Schemas['Descriptor'];
export type Curve = Schemas['Curve'];
export type Summary = Schemas['SessionSummary'];
export type Session = Schemas['Session'];
export type Mark = Schemas['Mark'];
export type ChunkAnswer = Schemas['LiveChunk'];

export interface Sample {
  file: string;
  intended: Emotion;
  voice: 'woman' | 'man';
  age: number;
  says: string;
}

export const EXPORTS = ['json', 'csv', 'audacity', 'textgrid', 'webvtt', 'srt', 'rttm'] as const;
export type ExportFormat = (typeof EXPORTS)[number];

/** Room that the multipart form takes beside the recording. */
const FORM_BYTES = 1024;

interface Asked extends Upload {
  model?: string;
}

/** Asks for everything there is to say about a recording; `keep` also keeps all but the audio as a session. */
export function analyse(file: File, { model, keep = false, ...rest }: Asked & { keep?: boolean } = {}): Promise<Analysis> {
  const form = recording(file, model);
  if (keep) form.append('keep', 'true');
  return upload<Analysis>('/api/v1/analyse', form, { ...rest, owned: keep });
}

/** Asks only for the emotion; nothing is kept. */
export function predict(file: File, { model, ...rest }: Asked = {}): Promise<Prediction> {
  return upload<Prediction>('/upload', recording(file, model), rest);
}

function recording(file: File, model: string | undefined): FormData {
  const form = new FormData();
  form.append('file', file, file.name);
  if (model) form.append('model', model);
  return form;
}

/** The same limit as the server's, so that a large file is not sent in vain. */
export function tooLarge(file: File, limits: Limits): ApiError | null {
  if (file.size + FORM_BYTES <= limits.max_upload_bytes) return null;
  const [size = '', most = ''] = [file.size, limits.max_upload_bytes].map((bytes) => number(bytes / 1024 / 1024, 1));
  return new ApiError('body_too_large', words().problem.tooLarge(size, most));
}

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: () => get<Schemas['Models']>('/api/v1/models'),
});

export const limitsQuery = queryOptions({ queryKey: ['limits'], queryFn: () => get<Limits>('/api/v1/limits') });

export const versionQuery = queryOptions({ queryKey: ['version'], queryFn: () => get<Schemas['Version']>('/api/v1/version') });

export const samplesQuery = queryOptions({
  queryKey: ['samples'],
  queryFn: () => get<Sample[]>('/samples/index.json'),
});

export async function fetchSample(sample: Sample): Promise<File> {
  const answer = await send(`/samples/${sample.file}`);
  return new File([await answer.blob()], sample.file, { type: 'audio/wav' });
}

export interface Wanted {
  search: string;
  offset: number;
  limit: number;
}

/** Sessions of this browser, newest first. */
export const sessionsQuery = (wanted: Wanted) =>
  queryOptions({
    queryKey: ['sessions', wanted],
    staleTime: 0,
    queryFn: ({ signal }) => {
      const query = new URLSearchParams(Object.entries(wanted).map(([name, value]) => [name, String(value)]));
      return get<Schemas['SessionPage']>(`/api/v1/sessions?${query}`, { owned: true, signal });
    },
  });

export function fetchSession(id: string, signal?: AbortSignal): Promise<Session> {
  return get<Session>(session(id), { owned: true, signal });
}

export async function renameSession(id: string, title: string): Promise<void> {
  await send(session(id), { method: 'PATCH', json: { title }, owned: true });
}

export async function deleteSession(id: string): Promise<void> {
  await send(session(id), { method: 'DELETE', owned: true });
}

export async function deleteSessions(): Promise<void> {
  await send('/api/v1/sessions', { method: 'DELETE', owned: true });
}

/** A session in a format of another program, with the name that the server gives the file. */
export async function exportSession(id: string, format: ExportFormat): Promise<{ blob: Blob; name: string | null }> {
  const answer = await send(`${session(id)}/export?format=${format}`, { owned: true });
  return { blob: await answer.blob(), name: fileName(answer.headers.get('Content-Disposition') ?? '') };
}

/** From a Content-Disposition (RFC 6266), whose second form carries any letter. */
function fileName(header: string): string | null {
  const any = /filename\*=UTF-8''([^;]+)/i.exec(header)?.[1];
  return any ? decodeURIComponent(any) : (/filename="?([^";]+)/.exec(header)?.[1] ?? null);
}

function session(id: string): string {
  return `/api/v1/sessions/${encodeURIComponent(id)}`;
}

export function beginLive(asked: { model?: string; title?: string }): Promise<Summary> {
  return get<Summary>('/api/v1/live', { method: 'POST', json: asked, owned: true });
}

/** Sends one window; sending the same one again changes nothing. */
export function sendChunk(id: string, sequence: number, start: number, wav: Blob, signal?: AbortSignal): Promise<ChunkAnswer> {
  return get<ChunkAnswer>(`${live(id)}/chunks/${sequence}?start=${start}`, { method: 'PUT', body: wav, owned: true, signal });
}

export async function markLive(id: string, mark: Mark): Promise<void> {
  await send(`${live(id)}/marks`, { method: 'POST', json: mark, owned: true });
}

export async function endLive(id: string): Promise<void> {
  await send(`${live(id)}/end`, { method: 'POST', owned: true });
}

function live(id: string): string {
  return `/api/v1/live/${encodeURIComponent(id)}`;
}
