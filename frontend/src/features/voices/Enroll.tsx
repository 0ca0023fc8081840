import { Button, Progress, Text, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import clsx from 'clsx';
import { useEffect, useRef, useSyncExternalStore, type FormEvent, type ReactNode } from 'react';
import layout from '../../components/layout.module.css';
import { ServerProblem } from '../../components/Problem';
import text from '../../components/text.module.css';
import { useAnnounced } from '../../lib/announce';
import { profilesQuery, type Limits } from '../../lib/api';
import { useWords } from '../../lib/i18n/language';
import { enrollment } from './enrollment';
import { Recordings } from './Recordings';
import css from './voices.module.css';

const MAX_NAME_LENGTH = 40;

interface Props {
  limits?: Limits;
  /** Name of the model to calibrate. */
  model: string;
  /** Controls for adding recordings. */
  sources: ReactNode;
  /** Choices offered before the profile is created. */
  setup: ReactNode;
}

/** Form that creates a speaker profile from a name, recordings and a model. Its input persists until the profile is created. */
export function Enroll({ limits, model, sources, setup }: Props) {
  const { voices: words, recorder } = useWords();
  const { name, recordings, share, error } = useSyncExternalStore(enrollment.subscribe, enrollment.snapshot);
  const { data: profiles } = useQuery(profilesQuery);
  const replaced = profiles?.find((profile) => profile.name === name.trim());
  const send = () => void enrollment.send(model, limits);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (share === null && name.trim() && recordings.length) send();
  };
  return (
    <form className={clsx(layout.card, css.enroll)} aria-label={words.make} onSubmit={submit}>
      <div>
        <Title order={3} size="h4" mb={6}>
          {words.make}
        </Title>
        <Text c="dimmed">{words.worth}</Text>
      </div>
      <TextInput
        label={words.name}
        description={replaced ? words.replaces(replaced.name) : words.nameHint}
        maxLength={MAX_NAME_LENGTH}
        autoComplete="off"
        maw={420}
        value={name}
        onChange={({ currentTarget }) => enrollment.rename(currentTarget.value)}
      />
      <div className={css.recordingsRoom}>
        <Text size="sm" c="dimmed" mb={8}>
          {words.hint}
        </Text>
        {sources}
        <Recordings recordings={recordings} onRemove={(id) => enrollment.remove(id)} />
      </div>
      <div className={css.setup}>{setup}</div>
      {error && <ServerProblem error={error} onRetry={send} onDismiss={enrollment.dismiss} dismissLabel={recorder.close} />}
      {share === null ? (
        <Button type="submit" className={css.create} disabled={!name.trim() || !recordings.length}>
          {words.create}
        </Button>
      ) : (
        <Sending name={name.trim()} share={share} />
      )}
    </form>
  );
}

/** Progress of the upload, then of the analysis on the server. */
function Sending({ name, share }: { name: string; share: number }) {
  const { sending } = useWords();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []); // replaces the submit button, which had the focus
  const uploading = share < 1;
  const doing = uploading ? sending.sending(name) : sending.listening(name);
  useAnnounced(doing);
  return (
    <div className={css.enrollSending}>
      <Text fw={600} className={text.fileName}>
        {doing}
      </Text>
      <Progress value={100 * share} animated={!uploading} aria-label={sending.upload} />
      <Button ref={button} variant="default" onClick={enrollment.cancel}>
        {sending.cancel}
      </Button>
    </div>
  );
}
