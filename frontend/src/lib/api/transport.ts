/** Requests and their problems; knows no addresses. */
import { words } from '../i18n/language';
import type { components } from './api-types';
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

export interface Call {
  method?: string;
  /** Sent as JSON. */
  json?: unknown;
  body?: Blob;
  /** Whether the owner's token goes along. */
  owned?: boolean;
  signal?: AbortSignal;
}

/** Whatever was thrown, as what the page can explain. */
export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError('unknown', { said: String(error) });
}

export async function get<Shape>(path: string, call?: Call): Promise<Shape> {
  return (await (await send(path, call)).json()) as Shape;
}

export async function send(path: string, { method, json, body, owned, signal }: Call = {}): Promise<Response> {
  const headers = new Headers(owned ? { Authorization: `Bearer ${owner()}` } : {});
  if (json !== undefined) headers.set('Content-Type', 'application/json');
  const content = json === undefined ? body : JSON.stringify(json);
  const answer = await fetch(path, { method, body: content, headers, signal }).catch(() => {
    throw new ApiError(signal?.aborted ? 'cancelled' : 'network');
  });
  if (answer.ok) return answer;
  throw problem(answer.status, parse(await answer.text()), answer.headers.get('Retry-After'));
}

export interface Upload {
  owned?: boolean;
  signal?: AbortSignal;
  /** Called with the share of the upload that has been sent, 0 to 1. */
  onProgress?: (share: number) => void;
}

/** Sends a form. XMLHttpRequest, as fetch says nothing about the progress of an upload. */
export function upload<Shape>(path: string, form: FormData, { owned, signal, onProgress }: Upload): Promise<Shape> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    if (owned) request.setRequestHeader('Authorization', `Bearer ${owner()}`);
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(total ? loaded / total : 0);
    request.onload = () => {
      const body = parse(request.responseText);
      if (request.status >= 200 && request.status < 300 && body) resolve(body as Shape);
      else reject(problem(request.status, body, request.getResponseHeader('Retry-After')));
    };
    request.onerror = () => reject(new ApiError('network'));
    request.onabort = () => reject(new ApiError('cancelled'));
    if (signal?.aborted) return reject(new ApiError('cancelled'));
    signal?.addEventListener('abort', () => request.abort());
    request.send(form);
  });
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
