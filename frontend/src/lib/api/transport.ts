/** Sends requests and turns failures into `ApiError`. */
import createClient from 'openapi-fetch';
import type { SuccessResponseJSON } from 'openapi-typescript-helpers';
import { words } from '../i18n/language';
import type { components, paths } from './api-types';
import { owner } from './owner';

interface ErrorDetails {
  /** A more specific cause than the code gives, in the page's language. */
  detail?: string;
  /** The server's own message, in English. */
  serverMessage?: string;
  requestId?: string;
  /** HTTP status. */
  status?: number;
  /** Retry-After, s. */
  retryAfter?: number;
}

/** A failed request; `code` is the server's, or "network", "cancelled", "server_answer" or "unknown". */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly known: ErrorDetails = {},
  ) {
    super(known.serverMessage ?? known.detail ?? code);
  }

  /** HTTP status, 0 without a response. */
  get status(): number {
    return this.known.status ?? 0;
  }
}

/** Wraps any thrown value in an `ApiError`, so that the page can explain it. */
export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError('unknown', { serverMessage: String(error) });
}

/** Client for every request except uploads, typed by the server's OpenAPI document. */
export const client = createClient<paths>({ baseUrl: window.location.origin, fetch: (request) => fetch(request) });

client.use({
  onError: ({ request }) => connectionError(request.signal),
  onResponse: async ({ response }) => {
    if (!response.ok) throw await responseError(response);
  },
});

/** The body of a successful response. */
export async function body<Data>(call: Promise<{ data?: Data }>): Promise<Data> {
  return (await call).data as Data; // failures were thrown by the middleware
}

/** Request options that authorise access to this browser's stored data. */
export function owned() {
  return { headers: { Authorization: `Bearer ${owner()}` } };
}

/** Fetches a static file of the page. */
export async function fetchFile(address: `/samples/${string}`): Promise<Response> {
  const response = await fetch(address).catch(() => {
    throw connectionError();
  });
  if (!response.ok) throw await responseError(response);
  return response;
}

function connectionError(signal?: AbortSignal): ApiError {
  return new ApiError(signal?.aborted ? 'cancelled' : 'network');
}

async function responseError(response: Response): Promise<ApiError> {
  return problem(response.status, parse(await response.text()), response.headers.get('Retry-After'));
}

/** Paths that take multipart form data. */
type FormPath = {
  [Path in keyof paths]: paths[Path] extends { post: { requestBody: { content: { 'multipart/form-data': object } } } } ? Path : never;
}[keyof paths];
type Form<Path extends FormPath> = paths[Path]['post']['requestBody']['content']['multipart/form-data'];
type Answer<Path extends FormPath> = SuccessResponseJSON<paths[Path]['post']>;
/** The OpenAPI document types files as strings. */
type Fields<Path extends FormPath> = { [Name in keyof Form<Path>]: Name extends 'file' ? File | File[] : Form<Path>[Name] };

export interface Upload {
  owned?: boolean;
  signal?: AbortSignal;
  /** Called with the share of the upload sent so far, 0 to 1. */
  onProgress?: (share: number) => void;
}

/** Uploads a form with XMLHttpRequest, because fetch reports no upload progress. */
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
  return new ApiError(code, { serverMessage: detail, requestId: request_id, ...seen });
}
