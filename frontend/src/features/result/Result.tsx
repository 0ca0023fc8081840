import { Button, Group, Text, Title } from '@mantine/core';
import { IconDownload, IconHelp, IconMoodSilence } from '@tabler/icons-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { EmotionIcon } from '../../components/EmotionIcon';
import type { Analysis, Emotion, Prediction } from '../../lib/api';
import { either, emotionColor, emotionName } from '../../lib/emotions';
import { duration, elapsed } from '../../lib/format';
import { Bars } from './Bars';
import { Timeline } from './Timeline';

interface Props {
  analysis: Analysis;
  /** What the actor of a sample meant. */
  intended?: Emotion;
  player: ReactNode;
  onAgain: () => void;
}

/** The answer: what, how sure, what else it may be, when, and what to know about it. */
export function Result({ analysis, intended, player, onAgain }: Props) {
  const { prediction, milliseconds } = analysis;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [prediction]);
  return (
    <section className="card result" aria-label="Result">
      <div className="verdict">
        <Sign prediction={prediction} />
        <div role="status">
          <Title order={2} className="emotion" tabIndex={-1} ref={heading} data-testid="emotion" data-emotion={prediction.emotion}>
            {title(prediction)}
          </Title>
          <Text size="lg">{summary(prediction)}</Text>
          <Text size="sm" c="dimmed" mt={4}>
            {explanation(prediction)}
          </Text>
          {intended && (
            <Text size="sm" c="dimmed" mt={4}>
              The actor meant: {emotionName(intended).toLowerCase()}.
            </Text>
          )}
        </div>
      </div>
      {player}
      <Timeline segments={prediction.segments} duration={prediction.duration_seconds} />
      <Bars probabilities={prediction.probabilities} />
      {prediction.warnings.length > 0 && (
        <ul className="warnings">
          {prediction.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      <Group justify="space-between" gap="sm" className="result-foot">
        <Text size="sm" c="dimmed">
          {duration(prediction.duration_seconds)} long, {duration(prediction.speech_seconds)} of it speech · answered by{' '}
          {prediction.model} in {elapsed(milliseconds)}
        </Text>
        <Group gap="sm">
          <Button
            variant="default"
            leftSection={<IconDownload aria-hidden size={16} />}
            component="a"
            download={`${prediction.file}.json`}
            href={`data:application/json;charset=utf-8,${encodeURIComponent(JSON.stringify(prediction, null, 2))}`}
          >
            JSON
          </Button>
          <Button onClick={onAgain}>Analyse another</Button>
        </Group>
      </Group>
    </section>
  );
}

function Sign({ prediction }: { prediction: Prediction }) {
  const { emotion, state } = prediction;
  const plain = state !== 'emotion' || !emotion;
  return (
    <div className="sign" style={{ '--tone': plain ? 'var(--emotion-neutral)' : emotionColor(emotion) } as React.CSSProperties}>
      {state === 'no_speech' && <IconMoodSilence aria-hidden size={52} stroke={1.4} />}
      {state === 'unsure' && <IconHelp aria-hidden size={52} stroke={1.4} />}
      {state === 'emotion' && emotion && <EmotionIcon emotion={emotion} size={56} />}
    </div>
  );
}

function title({ state, emotion }: Prediction): string {
  if (state === 'no_speech' || !emotion) return 'No speech heard';
  return state === 'unsure' ? 'Unsure' : emotionName(emotion);
}

function summary({ state, confidence, candidates }: Prediction): string {
  if (state === 'no_speech' || confidence === null) return 'Nobody seems to speak, so no emotion is claimed.';
  return state === 'unsure' ? `Closest to ${either(candidates)}` : `${confidence.toFixed(0)} % sure`;
}

function explanation({ state, confidence }: Prediction): string {
  if (state === 'no_speech' || confidence === null) return 'Move closer to the microphone, or choose another recording.';
  if (state === 'unsure') return 'Too close to call: any single answer would more likely be wrong than right.';
  return `About ${confidence.toFixed(0)} of 100 such answers are right, on voices like those it was tested on.`;
}
