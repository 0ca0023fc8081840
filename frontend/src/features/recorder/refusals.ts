/** Why there is no microphone, and what to do about it. */
import type { Refusal } from './microphone';

interface Explanation {
  title: string;
  detail: string;
  todo: string;
}

export const REFUSALS: Record<Refusal, Explanation> = {
  refused: {
    title: 'The microphone is blocked',
    detail: 'The browser did not allow this page to use it.',
    todo: 'Click the lock or microphone sign beside the address, allow the microphone, then press Record again.',
  },
  none: {
    title: 'No microphone was found',
    detail: 'The browser sees no microphone, or the chosen one was unplugged.',
    todo: 'Plug one in, or check that the system settings let the browser use it, then press Record again.',
  },
  busy: {
    title: 'The microphone is in use',
    detail: 'Another program holds it, or the system could not start it.',
    todo: 'Close calls and other recordings, then press Record again.',
  },
  insecure: {
    title: 'This address may not use a microphone',
    detail: 'Browsers allow recording only on secure addresses (https) and on this machine itself (localhost).',
    todo: 'Open http://localhost:5000 on the machine that runs the server, or upload a recording instead.',
  },
  unsupported: {
    title: 'This browser cannot record here',
    detail: 'It lacks the AudioWorklet, which recording without loss needs.',
    todo: 'Use a current Firefox, Chrome, Edge or Safari, or upload a recording instead.',
  },
  failed: {
    title: 'Recording could not start',
    detail: 'The browser gave no reason that is known here.',
    todo: 'Reload the page and try again, or upload a recording instead.',
  },
};
