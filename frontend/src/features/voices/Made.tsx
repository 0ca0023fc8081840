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

/** The voice that was just made, and what would make it better. */
export function Made({ onUse }: { onUse: (profile: Profile) => void }) {
  const { voices: words, recorder } = useWords();
  const { made } = useSyncExternalStore(enrollment.subscribe, enrollment.snapshot);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [made]);
  const from = made ? words.madeFrom(made.profile.clips, duration(made.profile.speech_seconds)) : '';
  useAnnounced(from);
  if (!made) return null;
  const { profile, warning_codes: codes, sent } = made;
  const { few_recordings, alike } = words.better;
  const better = codes.map((code) => (code === 'few_recordings' ? few_recordings(profile.clips) : alike));
  const notes = sent > profile.clips ? [words.leftOut(sent - profile.clips), ...better] : better;
  return (
    <section className={clsx(layout.card, css.made)} aria-label={words.ready(profile.name)}>
      <IconCircleCheck aria-hidden size={28} className={css.madeSign} />
      <div className={css.madeText}>
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
          <Button variant="default" onClick={() => enrollment.forget()}>
            {recorder.close}
          </Button>
        </div>
      </div>
    </section>
  );
}
