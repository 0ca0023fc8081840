import { Button, Loader, Switch, Text, Title } from '@mantine/core';
import {
  IconFlag,
  IconHelp,
  IconMicrophone,
  IconMoodSilence,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStopFilled,
} from '@tabler/icons-react';
import clsx from 'clsx';
import { memo, useEffect, useRef, useState, useSyncExternalStore, type ReactNode } from 'react';
import { Bars } from '../../components/Bars';
import capture from '../../components/capture.module.css';
import { DataTable } from '../../components/DataTable';
import { EmotionIcon } from '../../components/EmotionIcon';
import layout from '../../components/layout.module.css';
import { Meter } from '../../components/Meter';
import { Problem, ServerProblem } from '../../components/Problem';
import verdict from '../../components/verdict.module.css';
import { announce, useAnnounced } from '../../lib/announce';
import { profileRefused, type ChunkAnswer, type Emotion, type Mark } from '../../lib/api';
import { eitherEmotion, emotionColor, emotionName } from '../../lib/emotions';
import { amount, certainty, clock, duration, when } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import { serverEngine } from './engine';
import type { History } from './history';
import css from './live.module.css';
import { LiveTimeline } from './LiveTimeline';
import { LiveSession, type Ended, type Phase, type Snapshot } from './session';
import { Statistics } from './Statistics';

const UPDATE = 'live-update';
const MAX_BACKLOG = 2; // windows that may wait before the server counts as not responding rather than busy

interface Props {
  model?: string;
  /** Name of the speaker profile to calibrate to. */
  speaker?: string;
  /** The model's classes. */
  labels: readonly Emotion[];
  /** Emotions to choose the answers from; undefined for all. */
  emotions?: Emotion[];
  /** Whether the setup has to be corrected before a session starts. */
  blocked: boolean;
  onEnded: (ended: Ended) => void;
  /** Choices offered before the session starts. */
  setup: ReactNode;
}

/** Recognises the emotion of the current speaker, second by second. */
export function Live({ model, speaker, labels, emotions, blocked, onEnded, setup }: Props) {
  const { live } = useWords();
  const [keepAudio, setKeepAudio] = useState(false);
  const [session, setSession] = useState<LiveSession | null>(null);
  const [closed, setClosed] = useState(false);
  useEffect(() => () => session?.release(), [session]);
  const start = (calibrated = true) => {
    const title = live.titled(when(new Date().toISOString()));
    const options = { model, speaker: calibrated ? speaker : undefined, emotions, keepAudio, title };
    const next = new LiveSession(serverEngine, options);
    setSession(next);
    void next.start();
  };
  const close = () => {
    setSession(null);
    setClosed(true);
  };
  const end = async () => {
    const ended = await session?.end();
    if (ended) onEnded(ended);
  };
  if (session) {
    const lanes = session.options.emotions ?? labels;
    return <Running session={session} emotions={lanes} onStart={start} onClose={close} onEnd={() => void end()} />;
  }
  return (
    <>
      <StartCard focused={closed} blocked={blocked} keepAudio={keepAudio} onKeepAudio={setKeepAudio} onStart={() => start()} />
      {setup}
    </>
  );
}

interface StartCardProps {
  /** Moves the focus to the start button, because closing a session removed the focused element. */
  focused: boolean;
  /** Whether the setup below has to be corrected first. */
  blocked: boolean;
  keepAudio: boolean;
  onKeepAudio: (keep: boolean) => void;
  onStart: () => void;
}

function StartCard({ focused, blocked, keepAudio, onKeepAudio, onStart }: StartCardProps) {
  const { live } = useWords();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (focused) button.current?.focus();
  }, [focused]);
  return (
    <section className={clsx(layout.card, css.startCard)} aria-label={live.title}>
      <Button
        ref={button}
        size="lg"
        className={capture.record}
        leftSection={<IconMicrophone aria-hidden size={22} />}
        disabled={blocked}
        onClick={onStart}
      >
        {live.start}
      </Button>
      <Text size="sm" c="dimmed">
        {live.hint}
      </Text>
      <Switch size="sm" checked={keepAudio} label={live.keepAudio} onChange={({ currentTarget }) => onKeepAudio(currentTarget.checked)} />
    </section>
  );
}

interface RunningProps {
  session: LiveSession;
  emotions: readonly Emotion[];
  /** Starts a new session, calibrated to the selected speaker profile unless `calibrated` is false. */
  onStart: (calibrated?: boolean) => void;
  onClose: () => void;
  onEnd: () => void;
}

function Running({ session, emotions, onStart, onClose, onEnd }: RunningProps) {
  const { live, refusals, recorder } = useWords();
  const { speaker } = session.options;
  const now = useSyncExternalStore(session.subscribe, session.snapshot);
  useStatusAnnouncements(now);
  const { history, marks, phase, error, refusal } = now;
  const closing = { onDismiss: onClose, dismissLabel: recorder.close };
  const overview = (
    <SessionOverview history={history} windows={history.count} seconds={Math.floor(now.seconds)} emotions={emotions} marks={marks} />
  );
  if (refusal && phase === 'idle') return <Problem {...refusals[refusal]} onRetry={() => onStart()} {...closing} />;
  if (error && (phase === 'idle' || phase === 'ended')) {
    const deleted = error.code === 'session_unknown';
    return (
      <>
        {deleted ? (
          <Problem {...live.deleted} {...closing} />
        ) : (
          <ServerProblem error={error} onRetry={() => onStart(!profileRefused(error))} {...closing} />
        )}
        {phase === 'ended' && overview}
      </>
    );
  }
  return (
    <>
      {refusal && <Problem {...refusals[refusal]} onRetry={() => void session.resume()} />}
      {error && <ServerProblem error={error} onDismiss={() => session.dismiss()} dismissLabel={recorder.close} />}
      <section className={clsx(layout.card, css.live)} aria-label={live.title}>
        <div className={verdict.resultColumns}>
          <CurrentResult latest={now.latest} recordedAt={now.latestRecordedAt} phase={phase} adaptedSeconds={history.adaptedSeconds} />
          <Bars order={emotions} probabilities={now.latest?.probabilities ?? {}} />
        </div>
        <Controls now={now} session={session} onEnd={onEnd} />
        <Connection now={now} />
        {speaker && (
          <Text size="sm" c="dimmed">
            {live.calibrated(speaker)}
          </Text>
        )}
      </section>
      {overview}
    </>
  );
}

interface SessionOverviewProps {
  history: History;
  /** Number of results in `history`; triggers a re-render, because `history` is mutated in place. */
  windows: number;
  /** Length of the recorded audio in whole seconds. */
  seconds: number;
  emotions: readonly Emotion[];
  marks: Mark[];
}

/** Timeline, statistics and tables of the session so far. Memoised, because the level changes many times a second. */
const SessionOverview = memo(function SessionOverview({ history, windows, seconds, emotions, marks }: SessionOverviewProps) {
  const { live } = useWords();
  const rows = () =>
    history.windows.map((one) => [
      clock(one.start),
      clock(one.end),
      heading(one, live.noSpeech, live.unsure),
      one.confidence === null ? '–' : certainty(one.confidence),
    ]);
  return (
    <section className={layout.card} aria-label={live.timeline}>
      <LiveTimeline history={history} windows={windows} seconds={seconds} emotions={emotions} marks={marks} />
      <Statistics figures={history.statistics} seconds={seconds} />
      <div className={layout.tables}>
        <DataTable caption={live.timeline} head={live.columns} rows={rows} />
        {marks.length > 0 && (
          <DataTable caption={live.marks} head={live.markColumns} rows={() => marks.map(({ at, note }) => [clock(at), note])} />
        )}
      </div>
    </section>
  );
});

/** Announces changes of the result, the phase and the connection to screen readers, but not every figure. */
function useStatusAnnouncements({ latest, phase, full, seconds, waiting, connectionError }: Snapshot) {
  const { live } = useWords();
  const result = latest ? heading(latest, live.noSpeech, live.unsure) : live.first;
  const paused = full ? live.full : live.pausedHint(duration(seconds));
  const status: Partial<Record<Phase, string>> = { opening: live.opening, recording: result, paused, ending: live.ending };
  useAnnounced(status[phase] ?? '');
  const lost = connectionError !== null && waiting > MAX_BACKLOG;
  const wasLost = useRef(false);
  useEffect(() => {
    if (lost) announce(live.gone);
    else if (wasLost.current) announce(live.back);
    wasLost.current = lost;
  }, [lost, live]);
}

interface CurrentResultProps {
  latest?: ChunkAnswer;
  /** Time when its window was complete, in ms of `performance.now()`. */
  recordedAt: number;
  phase: Phase;
  /** Amount of speech that the results are adapted to, s. */
  adaptedSeconds: number;
}

/** The latest result, in large type. */
function CurrentResult({ latest, recordedAt, phase, adaptedSeconds }: CurrentResultProps) {
  const { live, result } = useWords();
  useEffect(() => {
    if (!latest) return;
    performance.measure(UPDATE, { start: recordedAt }); // latency from audio to screen, for performance observers
    performance.clearMeasures(UPDATE);
  }, [latest, recordedAt]);
  const sure = latest?.state === 'emotion' && latest.emotion;
  const tone = sure ? emotionColor(sure) : 'var(--emotion-neutral)';
  return (
    <div className={clsx(verdict.verdict, css.current)}>
      <div className={verdict.sign} style={{ '--tone': tone } as React.CSSProperties}>
        {!latest && <IconMicrophone aria-hidden size={48} stroke={1.4} />}
        {latest?.state === 'no_speech' && <IconMoodSilence aria-hidden size={52} stroke={1.4} />}
        {latest?.state === 'unsure' && <IconHelp aria-hidden size={52} stroke={1.4} />}
        {sure && <EmotionIcon emotion={sure} size={56} />}
      </div>
      <div>
        <Title
          order={2}
          className={verdict.emotion}
          data-testid="live-emotion"
          data-emotion={latest?.emotion ?? ''}
          data-state={latest?.state ?? ''}
        >
          {latest ? heading(latest, live.noSpeech, live.unsure) : phase === 'opening' ? live.opening : live.first}
        </Title>
        <Text size="lg">
          {latest?.state === 'unsure' && live.closest(eitherEmotion(latest.candidates))}
          {sure && latest.confidence !== null && live.sure(certainty(latest.confidence))}
          {latest?.state === 'no_speech' && live.noSpeechHint}
        </Text>
        {adaptedSeconds > 0 && (
          <Text size="sm" c="dimmed" mt={4} data-testid="adapted">
            {result.adapted(amount(adaptedSeconds))}
          </Text>
        )}
      </div>
    </div>
  );
}

function heading({ state, emotion }: ChunkAnswer, noSpeech: string, unsure: string): string {
  if (state === 'no_speech' || !emotion) return noSpeech;
  return state === 'unsure' ? unsure : emotionName(emotion);
}

function Controls({ now, session, onEnd }: { now: Snapshot; session: LiveSession; onEnd: () => void }) {
  const { live, recorder } = useWords();
  const { phase, refusal, error } = now;
  const paused = phase === 'paused';
  const busy = phase === 'opening' || phase === 'ending';
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) first.current?.focus(); // the focused element was removed
  }, [phase, refusal, error]);
  const mark = () => {
    if (busy) return;
    const note = live.markNote(now.marks.length + 1);
    session.mark(note);
    announce(note);
  };
  return (
    <div className={css.controls}>
      <Text className={clsx(capture.timer, css.time)} role="timer" aria-label={live.heard}>
        {phase === 'recording' && <span className={capture.recordingDot} aria-hidden />}
        {clock(now.seconds)}
      </Text>
      <Meter label={recorder.level} level={now.level} />
      <div className={css.controlButtons}>
        <Button
          {...inactive(busy)}
          ref={first}
          variant="default"
          leftSection={paused ? <IconPlayerPlay aria-hidden size={18} /> : <IconPlayerPause aria-hidden size={18} />}
          onClick={() => (paused ? void session.resume() : session.pause())}
        >
          {paused ? live.resume : live.pause}
        </Button>
        <Button {...inactive(busy)} variant="default" leftSection={<IconFlag aria-hidden size={18} />} onClick={mark}>
          {live.mark}
        </Button>
        <Button
          {...inactive(busy)}
          leftSection={phase === 'ending' ? <Loader aria-hidden size={18} /> : <IconPlayerStopFilled aria-hidden size={18} />}
          onClick={onEnd}
        >
          {live.end}
        </Button>
      </div>
    </div>
  );
}

/** Attributes of an inactive button; unlike `disabled`, they let it keep the focus. */
const inactive = (now: boolean) => ({ 'aria-disabled': now || undefined, 'data-disabled': now || undefined });

/** Connection status: tells when the server is slow or unreachable, and that no audio is lost. */
function Connection({ now }: { now: Snapshot }) {
  const { live } = useWords();
  const troubled = now.connectionError !== null && now.waiting > 0;
  return (
    <Text size="sm" className={clsx(css.connection, (troubled || now.full) && css.troubled)}>
      {now.full ? live.full : troubled ? live.troubled(now.waiting) : now.phase === 'ending' ? live.sending(now.waiting) : ''}
      {now.phase === 'paused' && !now.full && live.pausedHint(duration(now.seconds))}
    </Text>
  );
}
