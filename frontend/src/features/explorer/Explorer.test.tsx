import { useMantineColorScheme } from '@mantine/core';
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test, vi } from 'vitest';
import { renderPage } from '../../../tests/render';
import { analysisOf, happy } from '../../../tests/server';
import type { Segment } from '../../lib/api';
import { Explorer } from './Explorer';

/** A fake player whose position the test sets. */
const wave = vi.hoisted(() => {
  const listeners: Record<string, () => void> = {};
  return {
    seconds: 0,
    listeners,
    on(name: string, listener: () => void) {
      listeners[name] = listener;
      return () => {};
    },
    loadBlob: () => Promise.resolve(),
    getDecodedData: () => null,
    getCurrentTime(): number {
      return this.seconds;
    },
    setTime(seconds: number) {
      this.seconds = seconds;
    },
    setOptions: () => {},
    isPlaying: () => true,
    zoom: () => {},
    setScrollTime: () => {},
    destroy: () => {},
  };
});
vi.mock('wavesurfer.js', () => ({ default: { create: () => wave } }));

const segment = (start: number, end: number, emotion: Segment['emotion']): Segment => ({
  start,
  end,
  emotion,
  confidence: 80,
  state: 'emotion',
});
const analysis = analysisOf({
  ...happy,
  duration_seconds: 9,
  segments: [segment(0, 3, 'happy'), segment(3, 6, 'sad'), segment(6, 9, 'angry')],
});
const file = new File([new Uint8Array(10)], 'clip.wav');

beforeEach(() => {
  wave.seconds = 0;
});

test('repeats the focused segment, even while another one plays', async () => {
  renderPage(<Explorer analysis={analysis} file={file} marks={[]} />);
  const repeat = await screen.findByRole('button', { name: 'Repeat the segment' });
  act(() => wave.listeners.play!());
  const parts = within(screen.getByRole('list', { name: 'Emotion over time' })).getAllByRole('button');
  act(() => parts[1]!.focus());
  wave.seconds = 7;
  fireEvent.keyDown(parts[1]!, { key: 'l' });
  expect(repeat).toHaveAttribute('aria-pressed', 'true');
  expect(wave.seconds).toBe(3);
});

test('repeats the segment being played if none is selected', async () => {
  renderPage(<Explorer analysis={analysis} file={file} marks={[]} />);
  const repeat = await screen.findByRole('button', { name: 'Repeat the segment' });
  wave.seconds = 7;
  await userEvent.click(repeat);
  expect(wave.seconds).toBe(6);
});

test('updates the waveform colours when the colour scheme changes', async () => {
  const set = vi.spyOn(wave, 'setOptions');
  const Dark = () => {
    const { setColorScheme } = useMantineColorScheme();
    return <button type="button" onClick={() => setColorScheme('dark')} data-testid="dark" />;
  };
  document.documentElement.style.setProperty('--wave', 'rgb(1, 1, 1)');
  renderPage(
    <>
      <Dark />
      <Explorer analysis={analysis} file={file} marks={[]} />
    </>,
  );
  await screen.findByRole('button', { name: 'Repeat the segment' });
  document.documentElement.style.setProperty('--wave', 'rgb(2, 2, 2)');
  await userEvent.click(screen.getByTestId('dark'));
  await waitFor(() => expect(set).toHaveBeenLastCalledWith(expect.objectContaining({ waveColor: 'rgb(2, 2, 2)' })));
});

test('shows the attention without the recording, too', async () => {
  renderPage(<Explorer analysis={analysis} marks={[]} />);
  expect(screen.queryByTestId('attention')).toBeNull();
  await userEvent.click(screen.getByRole('switch', { name: 'What the model attended to' }));
  expect(screen.getByTestId('attention').querySelector('canvas')).toBeInTheDocument();
  expect(screen.getByText(/the more weight the model gave/)).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Play the recording' })).toBeNull();
});

test('saliency is not called attention, and is explained', async () => {
  const { attention } = analysis;
  renderPage(<Explorer analysis={{ ...analysis, attention: { ...attention!, kind: 'saliency' } }} marks={[]} />);
  expect(screen.queryByRole('switch', { name: /attend/i })).toBeNull();
  await userEvent.click(screen.getByRole('switch', { name: 'Moments that mattered' }));
  expect(screen.getByText(/computed from gradients/)).toBeVisible();
  expect(screen.getByRole('button', { name: 'Moments that mattered as a table' })).toBeVisible();
});
