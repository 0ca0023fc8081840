import { Button, Text, Title } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import clsx from 'clsx';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import layout from '../../components/layout.module.css';
import text from '../../components/text.module.css';
import { useAnnounced } from '../../lib/announce';
import type { Profile } from '../../lib/api';
import { duration } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import { enrollment } from './enrollment';
import css from './voices.module.css';

/** Confirms the new speaker profile, with advice on how to improve it. */
export function CreatedProfile({ onUse }: { onUse: (profile: Profile) => void }) {
  const { voices: words, recorder } = useWords();
  const { created } = useSyncExternalStore(enrollment.subscribe, enrollment.snapshot);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [created]);
  const from = created ? words.madeFrom(created.profile.clips, duration(created.profile.speech_seconds)) : '';
  useAnnounced(from);
  if (!created) return null;
  const { profile, warning_codes: codes, sent } = created;
  const { few_recordings, alike } = words.better;
  const advice = codes.map((code) => (code === 'few_recordings' ? few_recordings(profile.clips) : alike));
  const notes = sent > profile.clips ? [words.leftOut(sent - profile.clips), ...advice] : advice;
  return (
    <section className={clsx(layout.card, css.created)} aria-label={words.ready(profile.name)}>
      <IconCircleCheck aria-hidden size={28} className={css.createdSign} />
      <div className={css.createdText}>
        <Title order={3} size="h4" tabIndex={-1} ref={heading} className={text.fileName}>
          {words.ready(profile.name)}
        </Title>
        <Text>{from}</Text>
        {notes.length > 0 && (
          <ul className={layout.warnings}>
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        )}
        <div className={layout.actions}>
          <Button aria-label={words.useIt(profile.name)} onClick={() => onUse(profile)}>
            {words.use}
          </Button>
          <Button variant="default" onClick={() => enrollment.dismissCreated()}>
            {recorder.close}
          </Button>
        </div>
      </div>
    </section>
  );
}
