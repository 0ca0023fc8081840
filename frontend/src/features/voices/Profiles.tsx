import { ActionIcon, Button, Loader, Text, Title } from '@mantine/core';
import { IconTrash, IconUsers } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import clsx from 'clsx';
import { useState } from 'react';
import bars from '../../components/Bars.module.css';
import { ConfirmDelete } from '../../components/Dialog';
import layout from '../../components/layout.module.css';
import { ServerProblem } from '../../components/Problem';
import text from '../../components/text.module.css';
import { asApiError, deleteProfile, profilesQuery, type Model, type Profile } from '../../lib/api';
import { duration, percent, when } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import { enrollment } from './enrollment';
import css from './voices.module.css';

interface Props {
  models: Model[];
  onUse: (profile: Profile) => void;
}

/** The voices that the server keeps for this browser: use them, delete them. */
export function Profiles({ models, onUse }: Props) {
  const { voices: words } = useWords();
  const [doomed, setDoomed] = useState<Profile | null>(null);
  const { data: profiles, error, refetch } = useQuery(profilesQuery);
  const remove = useRemove(() => setDoomed(null));
  const failure = error ?? remove.error;
  const title = (name: string) => models.find((model) => model.name === name)?.title;
  return (
    <section className={layout.card} aria-label={words.known}>
      <Title order={3} size="h4" mb="xs">
        {words.known}
      </Title>
      {failure && <ServerProblem error={asApiError(failure)} onRetry={() => void refetch()} />}
      {!profiles && !error && <Loader className={layout.waiting} aria-label={words.loading} />}
      {profiles?.length === 0 && <Nothing />}
      {profiles && profiles.length > 0 && (
        <>
          <Text size="sm" c="dimmed">
            {words.varietyMeaning}
          </Text>
          <ul className={css.profiles}>
            {profiles.map((profile) => (
              <Row
                key={profile.name}
                profile={profile}
                model={title(profile.model)}
                onUse={() => onUse(profile)}
                onDelete={() => setDoomed(profile)}
              />
            ))}
          </ul>
        </>
      )}
      {doomed && (
        <ConfirmDelete
          sentence={words.confirmOne(doomed.name)}
          onClose={() => setDoomed(null)}
          onDelete={() => remove.mutate(doomed.name)}
        />
      )}
    </section>
  );
}

function Nothing() {
  const { voices: words } = useWords();
  return (
    <div className={layout.nothing}>
      <IconUsers aria-hidden size={36} stroke={1.4} className={css.nothingSign} />
      <Text fw={600}>{words.none}</Text>
      <Text mt={6}>{words.noneTodo}</Text>
    </div>
  );
}

interface RowProps {
  profile: Profile;
  /** Title of its model; undefined when the server has it no more. */
  model?: string;
  onUse: () => void;
  onDelete: () => void;
}

function Row({ profile, model, onUse, onDelete }: RowProps) {
  const { voices: words, dialog } = useWords();
  const { name, clips, speech_seconds: speech, variety, created } = profile;
  return (
    <li className={css.profile} data-testid="profile">
      <div className={css.profileText}>
        <Text fw={600} className={css.profileName}>
          {name}
        </Text>
        <Text size="sm" c="dimmed">
          {model ?? profile.model} · {words.of(clips, duration(speech))} · {when(created)}
        </Text>
      </div>
      {clips > 1 && <Variety share={Math.min(1, Math.max(0, variety))} />}
      <div className={layout.actions}>
        {model && (
          <Button variant="default" size="xs" aria-label={words.useIt(name)} onClick={onUse}>
            {words.use}
          </Button>
        )}
        <ActionIcon variant="default" size={30} aria-label={words.deleteIt(name)} title={dialog.delete} onClick={onDelete}>
          <IconTrash aria-hidden size={16} />
        </ActionIcon>
      </div>
    </li>
  );
}

/** How varied the recordings are; of a single one nothing can be said. */
function Variety({ share }: { share: number }) {
  const { voices: words } = useWords();
  return (
    <div className={css.variety}>
      <Text size="sm" c="dimmed" className={text.numbers}>
        {words.variety(percent(share))}
      </Text>
      <span className={bars.barTrack} aria-hidden>
        <span className={clsx(bars.barFill, css.varietyFill)} style={{ inlineSize: `${100 * share}%` }} />
      </span>
    </div>
  );
}

/** Deletes a voice, then shows what the server has. */
function useRemove(onSettled: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: deleteProfile,
    onSuccess: (_, name) => enrollment.forget(name),
    onSettled: () => {
      onSettled();
      return queries.invalidateQueries({ queryKey: profilesQuery.queryKey });
    },
  });
}
