/** Requests and their problems. */
import createClient from 'openapi-fetch';
import type { SuccessResponseJSON } from 'openapi-typescript-helpers';
import { words } from '../i18n/language';
import type { components, paths } from './api-types';
import { owner } from './owner';

interface Known {
  /** More than the words of the code say, in the language of the page. */
  detail?: string;
  /** The server's own sentence, in English. */
  said?: string;
  requestId?: string;
  /** HTTP status. */
  status?: number;
  /** What the server asks to wait, s. */
  retryAfter?: number;
}

/** Something went wrong; `code` is the server's, or "network", "cancelled" or "server_answer". */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly known: Known = {},
  ) {
    super(known.said ?? known.detail ?? code);
  }

  /** HTTP status, 0 without an answer. */
  get status(): number {
    return this.known.status ?? 0;
  }
}

/** Whatever was thrown, as what the page can explain. */
export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError('unknown', { said: String(error) });
}

/** Every request but uploads. Its types are those of the server's OpenAPI document, so that an address and its answer cannot part. */
export const client = createClient<paths>({ baseUrl: window.location.origin, fetch: (request) => fetch(request) });

client.use({
  onError: ({ request }) => unanswered(request.signal),
  onResponse: async ({ response }) => {
    if (!response.ok) throw await refused(response);
  },
});

/** What was answered. */
export async function body<Data>(call: Promise<{ data?: Data }>): Promise<Data> {
  return (await call).data as Data; // whatever is no answer was thrown
}

/** Options of a request for what is kept for this browser. */
export function owned() {
  return { headers: { Authorization: `Bearer ${owner()}` } };
}

/** A file that the server has beside the page. */
export async function fetchFile(address: `/samples/${string}`): Promise<Response> {
  const response = await fetch(address).catch(() => {
    throw unanswered();
  });
  if (!response.ok) throw await refused(response);
  return response;
}

function unanswered(signal?: AbortSignal): ApiError {
  return new ApiError(signal?.aborted ? 'cancelled' : 'network');
}

async function refused(response: Response): Promise<ApiError> {
  return problem(response.status, parse(await response.text()), response.headers.get('Retry-After'));
}

/** Addresses that take a form. */
type FormPath = {
  [Path in keyof paths]: paths[Path] extends { post: { requestBody: { content: { 'multipart/form-data': object } } } } ? Path : never;
}[keyof paths];
type Form<Path extends FormPath> = paths[Path]['post']['requestBody']['content']['multipart/form-data'];
type Answer<Path extends FormPath> = SuccessResponseJSON<paths[Path]['post']>;
/** The document has files as strings. */
type Fields<Path extends FormPath> = { [Name in keyof Form<Path>]: Name extends 'file' ? File | File[] : Form<Path>[Name] };

export interface Upload {
  owned?: boolean;
  signal?: AbortSignal;
  /** Called with the share of the upload that has been sent, 0 to 1. */
  onProgress?: (share: number) => void;
}

/** Sends a form. XMLHttpRequest, as fetch says nothing about the progress of an upload. */
export function upload<Path extends FormPath>(
  path: Path,
  fields: Fields<Path>,
  { owned, signal, onProgress }: Upload,
): Promise<Answer<Path>> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    if (owned) request.setRequestHeader('Authorization', `Bearer ${owner()}`);
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(total ? loaded / total : 0);
    request.onload = () => {
      const body = parse(request.responseText);
      if (request.status >= 200 && request.status < 300 && body) resolve(body as Answer<Path>);
      else reject(problem(request.status, body, request.getResponseHeader('Retry-After')));
    };
    request.onerror = () => reject(new ApiError('network'));
    request.onabort = () => reject(new ApiError('cancelled'));
    if (signal?.aborted) return reject(new ApiError('cancelled'));
    signal?.addEventListener('abort', () => request.abort());
    request.send(formOf(fields));
  });
}

function formOf(fields: object): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) {
      if (one instanceof File) form.append(name, one, one.name);
      else if (one !== undefined) form.append(name, String(one));
    }
  }
  return form;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function problem(status: number, body: unknown, retryAfter: string | null): ApiError {
  const seen = { status, retryAfter: Number(retryAfter) || undefined };
  const { code, detail, request_id } = (body ?? {}) as Partial<components['schemas']['Problem']>;
  if (!code || !detail) return new ApiError('server_answer', { detail: words().problem.status(status), ...seen });
  return new ApiError(code, { said: detail, requestId: request_id, ...seen });
}
