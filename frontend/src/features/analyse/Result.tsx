import { Text, Title } from '@mantine/core';
import { IconHelp, IconMoodSilence } from '@tabler/icons-react';
import clsx from 'clsx';
import { useEffect, useRef, type ReactNode } from 'react';
import { Bars } from '../../components/Bars';
import { Caution } from '../../components/Caution';
import { EmotionIcon } from '../../components/EmotionIcon';
import layout from '../../components/layout.module.css';
import verdict from '../../components/verdict.module.css';
import { useAnnounced } from '../../lib/announce';
import type { Emotion, Prediction } from '../../lib/api';
import { eitherEmotion, emotionColor, emotionName, emotionWord } from '../../lib/emotions';
import { amount, certainty, duration, elapsed, ofHundred, percentage } from '../../lib/i18n/format';
import { useWords, words } from '../../lib/i18n/language';
import css from './Result.module.css';

interface Props {
  prediction: Prediction;
  /** The emotion intended by the actor of a sample. */
  intended?: Emotion;
  /** From request to response, ms. */
  milliseconds?: number;
  /** Name of the speaker profile that was used. */
  speaker?: string;
  live: boolean;
  /** Buttons, such as export. */
  actions: ReactNode;
}

/** The result of an analysis: emotion, confidence, probabilities, warnings and facts about the recording. */
export function Result({ prediction, intended, milliseconds, speaker, live, actions }: Props) {
  const { result } = useWords();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [prediction]);
  useAnnounced(summary(prediction)); // the heading is read on focus
  return (
    <section className={clsx(layout.card, css.result)} data-testid="result" aria-label={result.label}>
      <div className={verdict.resultColumns}>
        <div className={verdict.verdict}>
          <Sign prediction={prediction} />
          <div>
            <Title
              order={2}
              className={verdict.emotion}
              tabIndex={-1}
              ref={heading}
              data-testid="emotion"
              data-emotion={prediction.emotion}
            >
              {title(prediction)}
            </Title>
            <Text size="lg">{summary(prediction)}</Text>
            <Text size="sm" c="dimmed" mt={4}>
              {live ? result.live : explanation(prediction)}
            </Text>
            {prediction.emotions.length > 0 && (
              <Text size="sm" c="dimmed" mt={4}>
                {result.among(prediction.emotions.map(emotionWord).join(', '))}
              </Text>
            )}
            {prediction.adapted_seconds > 0 && (
              <Text size="sm" c="dimmed" mt={4} data-testid="adapted">
                {result.adapted(amount(prediction.adapted_seconds))}
              </Text>
            )}
            {intended && (
              <Text size="sm" c="dimmed" mt={4}>
                {result.intended(emotionWord(intended))}
              </Text>
            )}
          </div>
        </div>
        <Bars probabilities={prediction.probabilities} />
      </div>
      {prediction.warnings.length > 0 && (
        <ul className={layout.warnings} data-testid="warnings">
          {prediction.warnings.map((warning, i) => (
            <li key={warning}>
              <Caution code={prediction.warning_codes[i]} serverMessage={warning} />
            </li>
          ))}
        </ul>
      )}
      <div className={css.resultFoot} data-testid="result-foot">
        <Text size="sm" c="dimmed">
          {result.facts(duration(prediction.duration_seconds), duration(prediction.speech_seconds))} ·{' '}
          {prediction.intensity !== null && `${result.intensity(percentage(100 * prediction.intensity))} · `}
          {milliseconds === undefined ? result.by(prediction.model) : result.answered(prediction.model, elapsed(milliseconds))}
          {speaker && ` · ${result.calibrated(speaker)}`}
        </Text>
        {actions}
      </div>
    </section>
  );
}

function Sign({ prediction }: { prediction: Prediction }) {
  const { emotion, state } = prediction;
  const plain = state !== 'emotion' || !emotion;
  return (
    <div className={verdict.sign} style={{ '--tone': plain ? 'var(--emotion-neutral)' : emotionColor(emotion) } as React.CSSProperties}>
      {state === 'no_speech' && <IconMoodSilence aria-hidden size={52} stroke={1.4} />}
      {state === 'unsure' && <IconHelp aria-hidden size={52} stroke={1.4} />}
      {state === 'emotion' && emotion && <EmotionIcon emotion={emotion} size={56} />}
    </div>
  );
}

function title({ state, emotion }: Prediction): string {
  if (state === 'no_speech' || !emotion) return words().result.none;
  return state === 'unsure' ? words().unsure : emotionName(emotion);
}

function summary({ state, confidence, candidates }: Prediction): string {
  const { result } = words();
  if (state === 'no_speech' || confidence === null) return result.noneSummary;
  return state === 'unsure' ? result.closest(eitherEmotion(candidates)) : result.sure(certainty(confidence));
}

function explanation({ state, confidence, emotions, warning_codes }: Prediction): string {
  const { result } = words();
  if (state === 'no_speech' || confidence === null) return result.noneTodo;
  if (state === 'emotion' && warning_codes.includes('unlike_training')) return result.sureUnlike;
  if (state === 'emotion') return result.sureExplained(ofHundred(confidence));
  return emotions.length === 2 ? result.unsurePair : result.unsureExplained;
}
