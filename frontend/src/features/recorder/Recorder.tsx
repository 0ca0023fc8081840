import { Button, Group, Select, Text } from '@mantine/core';
import { IconMicrophone, IconPlayerStopFilled } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { Problem } from '../../components/Problem';
import type { Limits } from '../../lib/api';
import { clock } from '../../lib/format';
import { REFUSALS } from './refusals';
import { useRecorder } from './useRecorder';

interface Props {
  limits?: Limits;
  onRecorded: (file: File) => void;
}

/** Record, watch the level, stop: the recording is analysed at once. */
export function Recorder({ limits, onRecorded }: Props) {
  const recorder = useRecorder(limits, onRecorded);
  const { phase } = recorder.state;
  if (recorder.state.phase === 'refused') {
    return <Problem {...REFUSALS[recorder.state.reason]} onRetry={() => void recorder.start()} onDismiss={recorder.cancel} dismissLabel="Close" />;
  }
  if (phase === 'recording') return <Recording recorder={recorder} />;
  return (
    <div className="recorder">
      <Button
        size="lg"
        className="record"
        leftSection={<IconMicrophone aria-hidden size={22} />}
        loading={phase === 'opening'}
        onClick={() => void recorder.start()}
      >
        Record
      </Button>
      <Text size="sm" c="dimmed" mt="sm" role="status">
        {phase === 'opening' ? 'Waiting for the microphone: the browser may ask you to allow it.' : 'Say a sentence or two, then press Stop.'}
      </Text>
    </div>
  );
}

function Recording({ recorder }: { recorder: ReturnType<typeof useRecorder> }) {
  const { level, seconds, devices, deviceId, start, stop, cancel } = recorder;
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  const loudness = level > 0 ? Math.max(0, Math.min(1, 1 + (20 * Math.log10(level)) / 60)) : 0; // -60 to 0 dB
  return (
    <div className="recorder">
      <Text className="visually-hidden" role="status">
        Recording.
      </Text>
      <Text className="timer" role="timer" aria-label="Recorded time">
        <span className="recording-dot" aria-hidden />
        {clock(seconds)}
      </Text>
      <div
        className="meter"
        role="meter"
        aria-label="Level of the microphone"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * loudness)}
      >
        <div className="meter-fill" style={{ transform: `scaleX(${loudness})` }} />
      </div>
      <Text size="sm" c="dimmed">
        {seconds > 1 && loudness < 0.2 ? 'Hardly any sound arrives: is this the right microphone?' : 'Listening …'}
      </Text>
      <Group justify="center" gap="sm" mt="md">
        <Button
          ref={button}
          size="lg"
          className="record"
          leftSection={<IconPlayerStopFilled aria-hidden size={20} />}
          onClick={() => void stop()}
        >
          Stop
        </Button>
        <Button size="lg" variant="default" onClick={cancel}>
          Cancel
        </Button>
      </Group>
      {devices.length > 1 && (
        <Select
          mt="md"
          label="Microphone"
          allowDeselect={false}
          value={deviceId}
          data={devices.map((device, i) => ({ value: device.deviceId, label: device.label || `Microphone ${i + 1}` }))}
          onChange={(id) => id && void start(id)}
          description="Choosing another one begins anew."
        />
      )}
    </div>
  );
}
