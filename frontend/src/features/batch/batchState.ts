/** The queue and labels. They live outside the view, so that leaving it neither stops the queue nor loses results. */
import { predict } from '../../lib/api';
import { Queue } from './queue';
import type { Labels } from './scores';

export const batchState: { readonly queue: Queue; labels: Labels | null } = {
  queue: new Queue((file, signal) => predict(file, { signal })),
  labels: null,
};
