/** What outlives the view: leaving Batch for another page neither stops the queue nor loses answers and labels. */
import { predict } from '../../lib/api';
import { Queue } from './queue';
import type { Labels } from './scores';

export const work: { readonly queue: Queue; labels: Labels | null } = {
  queue: new Queue((file, signal) => predict(file, { signal })),
  labels: null,
};
