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

/** Lists the speaker profiles stored for this browser, to use or delete them. */
export function Profiles({ models, onUse }: Props) {
  const { voices: words } = useWords();
  const [pendingDelete, setPendingDelete] = useState<Profile | null>(null);
  const { data: profiles, error, refetch } = useQuery(profilesQuery);
  const remove = useDelete(() => setPendingDelete(null));
  const failure = error ?? remove.error;
  const title = (name: string) => models.find((model) => model.name === name)?.title;
  return (
    <section className={layout.card} aria-label={words.known}>
      <Title order={3} size="h4" mb="xs">
        {words.known}
      </Title>
      {failure && <ServerProblem error={asApiError(failure)} onRetry={() => void refetch()} />}
      {!profiles && !error && <Loader className={layout.waiting} aria-label={words.loading} />}
      {profiles?.length === 0 && <NoProfiles />}
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
                onDelete={() => setPendingDelete(profile)}
              />
            ))}
          </ul>
        </>
      )}
      {pendingDelete && (
        <ConfirmDelete
          sentence={words.confirmOne(pendingDelete.name)}
          onClose={() => setPendingDelete(null)}
          onDelete={() => remove.mutate(pendingDelete.name)}
        />
      )}
    </section>
  );
}

function NoProfiles() {
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
  /** Title of its model; undefined if the server no longer has the model. */
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

/** Variety of the recordings, 0 to 1; meaningless for a single recording. */
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

/** Deletes a profile, then reloads the list. */
function useDelete(onSettled: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: deleteProfile,
    onSuccess: (_, name) => enrollment.dismissCreated(name),
    onSettled: () => {
      onSettled();
      return queries.invalidateQueries({ queryKey: profilesQuery.queryKey });
    },
  });
}
