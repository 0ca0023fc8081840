import { Button, Group, Select, Text } from '@mantine/core';
import { IconMicrophone, IconPlayerStopFilled } from '@tabler/icons-react';
import clsx from 'clsx';
import { useEffect, useRef } from 'react';
import capture from '../../components/capture.module.css';
import layout from '../../components/layout.module.css';
import { loudness, Meter } from '../../components/Meter';
import { Problem } from '../../components/Problem';
import { useAnnounced } from '../../lib/announce';
import type { Limits } from '../../lib/api';
import { clock } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import css from './Recorder.module.css';
import { useRecorder } from './useRecorder';

const FAINT = 0.2; // meter reading, 0 to 1

interface Props {
  limits?: Limits;
  onRecorded: (file: File) => void;
}

/** Records from the microphone with a level meter; passes the recording on as soon as it is stopped. */
export function Recorder({ limits, onRecorded }: Props) {
  const { recorder: words, refusals } = useWords();
  const recorder = useRecorder(limits, onRecorded);
  const { phase } = recorder.state;
  const button = useRestoredFocus(phase);
  useAnnounced(phase === 'opening' ? words.waiting : phase === 'recording' ? words.recording : '');
  if (recorder.state.phase === 'refused') {
    const { reason, recording } = recorder.state;
    return (
      <Problem
        {...refusals[reason]}
        onRetry={() => void recorder.start()}
        onDismiss={recording ? () => recorder.use(recording) : recorder.cancel}
        dismissLabel={recording ? words.use : words.close}
      />
    );
  }
  if (phase === 'recording') return <Recording recorder={recorder} />;
  return (
    <div className={clsx(layout.source, css.recorder)}>
      <Button
        ref={button}
        size="lg"
        className={capture.record}
        leftSection={<IconMicrophone aria-hidden size={22} />}
        loading={phase === 'opening'}
        onClick={() => void recorder.start()}
      >
        {words.record}
      </Button>
      <Text size="sm" c="dimmed" mt="sm">
        {phase === 'opening' ? words.waiting : words.hint}
      </Text>
    </div>
  );
}

/** Returns the focus to the record button after a recording, because the focused stop button is removed. */
function useRestoredFocus(phase: string) {
  const button = useRef<HTMLButtonElement>(null);
  const before = useRef(phase);
  useEffect(() => {
    if (before.current === 'recording' && phase === 'idle') button.current?.focus();
    before.current = phase;
  }, [phase]);
  return button;
}

function Recording({ recorder }: { recorder: ReturnType<typeof useRecorder> }) {
  const { recorder: words } = useWords();
  const { level, seconds, devices, deviceId, start, stop, cancel } = recorder;
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <div className={clsx(layout.source, css.recorder)}>
      <Text className={capture.timer} role="timer" aria-label={words.time}>
        <span className={capture.recordingDot} aria-hidden />
        {clock(seconds)}
      </Text>
      <Meter label={words.level} level={level} />
      <Text size="sm" c="dimmed">
        {seconds > 1 && loudness(level) < FAINT ? words.faint : words.listening}
      </Text>
      <Group justify="center" gap="sm" mt="md">
        <Button
          ref={button}
          size="lg"
          className={capture.record}
          leftSection={<IconPlayerStopFilled aria-hidden size={20} />}
          onClick={() => void stop()}
        >
          {words.stop}
        </Button>
        <Button size="lg" variant="default" onClick={cancel}>
          {words.cancel}
        </Button>
      </Group>
      {devices.length > 1 && (
        <Select
          mt="md"
          label={words.microphone}
          allowDeselect={false}
          value={deviceId}
          data={devices.map((device, i) => ({ value: device.deviceId, label: device.label || words.numbered(i + 1) }))}
          onChange={(id) => id && void start(id)}
          description={words.anew}
        />
      )}
    </div>
  );
}
