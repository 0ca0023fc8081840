/** The queue and what was chosen for it. They live outside the view, so that leaving it neither stops the queue nor loses results. */
import type { Adaptation } from './adaptation';
import { Queue } from './queue';
import type { Labels } from './scores';

export const batchState: { readonly queue: Queue; labels: Labels | null; adaptation?: Adaptation } = { queue: new Queue(), labels: null };

window.addEventListener('pagehide', () => batchState.queue.abandon());
