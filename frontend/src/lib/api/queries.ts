/** How long answers of the server are good for, and when it is asked again. */
import { QueryClient } from '@tanstack/react-query';
import { asApiError } from './transport';

const RETRIES = 2;
const FIRST_WAIT = 300; // ms, twice as long each time: that the server is gone is said within a second
const LONGEST_WAIT = 2; // s; whoever is to wait longer is told so

export function newQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: 'always', // what the browser calls offline says nothing about a server on this very machine
        staleTime: Infinity, // but what failed is asked for again once the person or the network comes back
        refetchOnReconnect: true,
        retry: (failures, error) => failures < RETRIES && passes(error),
        retryDelay: (failures, error) => Math.max(FIRST_WAIT * 2 ** failures, 1000 * (asApiError(error).known.retryAfter ?? 0)),
      },
      mutations: { networkMode: 'always' },
    },
  });
}

/** Whether it may pass by itself: no answer, a fault of the server, too much at once. A refusal stays one. */
function passes(error: Error): boolean {
  const { code, status, known } = asApiError(error);
  return (known.retryAfter ?? 0) <= LONGEST_WAIT && (code === 'network' || status === 429 || status >= 500);
}
