/** Launch options of the test browser, with a fake microphone. */
import type { LaunchOptions } from '@playwright/test';

/** Chromium whose microphone plays the recording once, then silence; each getUserMedia call restarts it. */
export const fakeMicrophone = (recording: string): LaunchOptions => ({
  executablePath: process.env.SER_CHROMIUM ?? '/usr/bin/chromium',
  chromiumSandbox: process.getuid?.() !== 0,
  args: ['--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${recording}%noloop`],
});
