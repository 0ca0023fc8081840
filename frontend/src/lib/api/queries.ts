/** Query client settings: caching and retries. */
import { QueryClient } from '@tanstack/react-query';
import { asApiError } from './transport';

const RETRIES = 2;
const FIRST_WAIT = 300; // ms, doubled each time, so that an unreachable server is reported within a second
const LONGEST_WAIT = 2; // s; a longer Retry-After is reported as an error at once

export function newQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: 'always', // "offline" says nothing about a server on the same machine
        staleTime: Infinity, // failed queries are still refetched on focus and reconnect
        refetchOnReconnect: true,
        retry: (failures, error) => failures < RETRIES && isTransient(error),
        retryDelay: (failures, error) => Math.max(FIRST_WAIT * 2 ** failures, 1000 * (asApiError(error).known.retryAfter ?? 0)),
      },
      mutations: { networkMode: 'always' },
    },
  });
}

/** Whether a retry can succeed: no response, a server error or an overloaded server, but not another client error. */
function isTransient(error: Error): boolean {
  const { code, status, known } = asApiError(error);
  return (known.retryAfter ?? 0) <= LONGEST_WAIT && (code === 'network' || status === 429 || status >= 500);
}
