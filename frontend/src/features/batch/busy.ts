/** Waits for a busy server. */
import { asApiError } from '../../lib/api';

const TRIES = 5;
const WAIT_SECONDS = 2;

/** Sends a request, again after Retry-After while the server is busy. */
export async function whileBusy<Answer>(send: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send();
    } catch (thrown) {
      const error = asApiError(thrown);
      if ((error.status !== 503 && error.status !== 429) || tries === TRIES || signal?.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * (error.known.retryAfter ?? WAIT_SECONDS)));
    }
  }
}
