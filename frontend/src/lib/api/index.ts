/** API client: the only file that knows API addresses. Types are generated from the OpenAPI document (`npm run api-types`). */
import { queryOptions } from '@tanstack/react-query';
import { number } from '../i18n/format';
import { words } from '../i18n/language';
import type { components } from './api-types';
import { hasOwner } from './owner';
import { ApiError, asApiError, body, client, fetchFile, owned, upload, type Upload } from './transport';

export { ApiError, asApiError } from './transport';

type Schemas = components['schemas'];
export type Prediction = Schemas['Prediction'];
export type Warning = Prediction['warning_codes'][number];
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
export type Profile = Schemas['Profile'];
export type NewProfile = Schemas['NewProfile'];

export interface Sample {
  file: string;
  intended: Emotion;
  voice: 'woman' | 'man';
  age: number;
  says: string;
}

export const EXPORTS = ['json', 'csv', 'audacity', 'textgrid', 'webvtt', 'srt', 'rttm'] as const;
export type ExportFormat = (typeof EXPORTS)[number];

/** Upper bound for the multipart overhead of one file. */
const FORM_BYTES = 1024;

interface PredictOptions extends Upload {
  model?: string;
  /** Emotions to choose the answer from; all of the model by default. */
  emotions?: Emotion[];
  /** Name of the speaker profile to calibrate to. */
  speaker?: string;
}

interface AnalyseOptions extends PredictOptions {
  /** Stores the result, without the audio, as a session. */
  keep?: boolean;
}

/** Requests the full analysis of a recording. */
export function analyse(file: File, { model, emotions, speaker, keep = false, ...rest }: AnalyseOptions = {}): Promise<Analysis> {
  const form = { file, model, emotions: emotions?.join(), speaker, keep: keep || undefined };
  return upload('/api/v1/analyse', form, { ...rest, owned: keep || speaker !== undefined });
}

/** Requests only the prediction; nothing is stored. */
export function predict(file: File, { model, emotions, speaker, ...rest }: PredictOptions = {}): Promise<Prediction> {
  return upload('/upload', { file, model, emotions: emotions?.join(), speaker }, { ...rest, owned: speaker !== undefined });
}

/** Applies the server's size limit before uploading; null if the file is within it. */
export function tooLarge(file: File, limits: Limits): ApiError | null {
  if (file.size + FORM_BYTES <= limits.max_upload_bytes) return null;
  return new ApiError('body_too_large', { detail: words().problem.tooLarge(mebibytes(file.size), mebibytes(limits.max_upload_bytes)) });
}

/** The same check for several recordings uploaded in one request. */
export function togetherTooLarge(files: File[], limits: Limits): ApiError | null {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes + files.length * FORM_BYTES <= limits.max_upload_bytes) return null;
  return new ApiError('recordings_too_large', {
    detail: words().problem.togetherTooLarge(mebibytes(bytes), mebibytes(limits.max_upload_bytes)),
  });
}

function mebibytes(bytes: number): string {
  return number(bytes / 1024 / 1024, 1);
}

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: () => body(client.GET('/api/v1/models')),
});

export const limitsQuery = queryOptions({ queryKey: ['limits'], queryFn: () => body(client.GET('/api/v1/limits')) });

export const versionQuery = queryOptions({ queryKey: ['version'], queryFn: () => body(client.GET('/api/v1/version')) });

export const samplesQuery = queryOptions({
  queryKey: ['samples'],
  queryFn: async () => (await (await fetchFile('/samples/index.json')).json()) as Sample[],
});

export async function fetchSample(sample: Sample): Promise<File> {
  const answer = await fetchFile(`/samples/${sample.file}`);
  return new File([await answer.blob()], sample.file, { type: 'audio/wav' });
}

export interface SessionPage {
  search: string;
  offset: number;
  limit: number;
}

/** One page of this browser's sessions, newest first. */
export const sessionsQuery = (page: SessionPage) =>
  queryOptions({
    queryKey: ['sessions', page],
    staleTime: 0,
    queryFn: ({ signal }) => body(client.GET('/api/v1/sessions', { params: { query: page }, signal, ...owned() })),
  });

export function fetchSession(id: string, signal?: AbortSignal): Promise<Session> {
  return body(client.GET('/api/v1/sessions/{id}', { params: { path: { id } }, signal, ...owned() }));
}

export async function renameSession(id: string, title: string): Promise<void> {
  await client.PATCH('/api/v1/sessions/{id}', { params: { path: { id } }, body: { title }, ...owned() });
}

export async function deleteSession(id: string): Promise<void> {
  await client.DELETE('/api/v1/sessions/{id}', { params: { path: { id } }, ...owned() });
}

export async function deleteSessions(): Promise<void> {
  await client.DELETE('/api/v1/sessions', owned());
}

/** Exports a session in the given format, with the file name suggested by the server. */
export async function exportSession(id: string, format: ExportFormat): Promise<{ blob: Blob; name: string | null }> {
  const options = { params: { path: { id }, query: { format } }, parseAs: 'blob', ...owned() } as const;
  const { data, response } = await client.GET('/api/v1/sessions/{id}/export', options);
  return { blob: data!, name: fileName(response.headers.get('Content-Disposition') ?? '') };
}

/** File name from a Content-Disposition header (RFC 6266); `filename*` allows any character, so it takes precedence. */
function fileName(header: string): string | null {
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(header)?.[1];
  return extended ? decodeURIComponent(extended) : (/filename="?([^";]+)/.exec(header)?.[1] ?? null);
}

/** This browser's speaker profiles, by name. Without an owner token there are none, so no request is sent. */
export const profilesQuery = queryOptions({
  queryKey: ['profiles'],
  staleTime: 0,
  refetchOnWindowFocus: true, // another tab may have changed them
  queryFn: async ({ signal }) => {
    if (!hasOwner()) return [];
    return (await body(client.GET('/api/v1/profiles', { signal, ...owned() }))).profiles;
  },
});

interface ProfileOptions extends Upload {
  name: string;
  model: string;
  /** Recordings of one speaker. */
  files: File[];
}

/** Creates a speaker profile, replacing any of the same name. */
export function makeProfile({ name, model, files, ...rest }: ProfileOptions): Promise<NewProfile> {
  return upload('/api/v1/profiles', { name, model, file: files }, { ...rest, owned: true });
}

/** Deletes a speaker profile, even while the page is being closed; succeeds if it no longer exists. */
export async function deleteProfile(name: string): Promise<void> {
  const options = { params: { path: { name } }, keepalive: true, ...owned() };
  await client.DELETE('/api/v1/profiles/{name}', options).catch((error: unknown) => {
    if (asApiError(error).code !== 'profile_unknown') throw error;
  });
}

/** Whether a request failed only because of its speaker profile, so that it can succeed without one. */
export function profileRefused({ code }: ApiError): boolean {
  return code === 'profile_unknown' || code === 'profile_model';
}

export interface LiveOptions {
  model?: string;
  title?: string;
  speaker?: string;
  /** Emotions to choose the answers from; all of the model by default. */
  emotions?: Emotion[];
}

export function beginLive(options: LiveOptions): Promise<Summary> {
  return body(client.POST('/api/v1/live', { body: options as Schemas['NewLive'], ...owned() })); // omitted fields have defaults
}

/** Sends one window. Idempotent: a window can be sent again. */
export function sendChunk(id: string, sequence: number, start: number, wav: Blob, signal?: AbortSignal): Promise<ChunkAnswer> {
  const { headers } = owned();
  return body(
    client.PUT('/api/v1/live/{id}/chunks/{sequence}', {
      params: { path: { id, sequence }, query: { start } },
      body: wav as unknown as string, // the OpenAPI document types binary bodies as strings
      bodySerializer: (content) => content,
      headers: { ...headers, 'Content-Type': wav.type },
      signal,
    }),
  );
}

export async function markLive(id: string, mark: Mark): Promise<void> {
  await client.POST('/api/v1/live/{id}/marks', { params: { path: { id } }, body: mark, ...owned() });
}

export async function endLive(id: string): Promise<void> {
  await client.POST('/api/v1/live/{id}/end', { params: { path: { id } }, ...owned() });
}
