import { ActionIcon, Group, Slider, Text } from '@mantine/core';
import { IconPlayerPauseFilled, IconPlayerPlayFilled } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import WaveSurfer from 'wavesurfer.js';
import { clock } from '../../lib/format';

const HEIGHT_PIXELS = 72;

/** The recording as a waveform, played by button or keyboard. A format the browser cannot decode has no player. */
export function Player({ file }: { file: File }) {
  const { container, wave, playing, time, length, failed } = useWave(file);
  if (failed) {
    return (
      <Text size="sm" c="dimmed">
        This browser cannot play this format; the analysis is not affected.
      </Text>
    );
  }
  return (
    <div>
      <div ref={container} aria-hidden className="wave" />
      <Group gap="sm" mt={6} wrap="nowrap">
        <ActionIcon
          size="lg"
          radius="xl"
          variant="light"
          disabled={!length}
          aria-label={playing ? 'Pause' : 'Play the recording'}
          onClick={() => void wave?.playPause()}
        >
          {playing ? <IconPlayerPauseFilled aria-hidden size={18} /> : <IconPlayerPlayFilled aria-hidden size={18} />}
        </ActionIcon>
        <Slider
          flex={1}
          size="xs"
          label={null}
          thumbLabel="Position in the recording"
          thumbProps={{ 'aria-valuetext': `${clock(time)} of ${clock(length)}` }}
          min={0}
          max={length || 1}
          step={0.1}
          value={time}
          onChange={(seconds) => wave?.setTime(seconds)}
        />
        <Text size="sm" c="dimmed" className="numbers">
          {clock(time)} / {clock(length)}
        </Text>
      </Group>
    </div>
  );
}

function useWave(file: File) {
  const container = useRef<HTMLDivElement>(null);
  const [wave, setWave] = useState<WaveSurfer | null>(null);
  const [playing, setPlaying] = useState(false);
  const [time, setTime] = useState(0);
  const [length, setLength] = useState(0);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!container.current) return;
    const made = WaveSurfer.create({
      container: container.current,
      height: HEIGHT_PIXELS,
      waveColor: token('--wave'),
      progressColor: token('--accent'),
      cursorColor: token('--ink'),
      barWidth: 2,
      barGap: 2,
      barRadius: 2,
      normalize: true,
    });
    made.on('play', () => setPlaying(true));
    made.on('pause', () => setPlaying(false));
    made.on('timeupdate', setTime);
    made.on('ready', setLength);
    made.on('error', () => setFailed(true));
    made.loadBlob(file).then(
      () => setWave(made),
      () => setFailed(true),
    );
    return () => made.destroy();
  }, [file]);
  return { container, wave, playing, time, length, failed };
}

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}
