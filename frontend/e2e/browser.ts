/** How the browser of the tests is started, and what its microphone hears. */
import type { LaunchOptions } from '@playwright/test';

/** The recording is played once, then there is silence; each getUserMedia begins it anew. */
export const hearing = (recording: string): LaunchOptions => ({
  executablePath: process.env.SER_CHROMIUM ?? '/usr/bin/chromium',
  chromiumSandbox: process.getuid?.() !== 0,
  args: ['--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${recording}%noloop`],
});
