import './voices.css';
import { ActionIcon, Button, Loader, Text, Title } from '@mantine/core';
import { IconTrash, IconUsers } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ConfirmDelete } from '../../components/Dialog';
import { ServerProblem } from '../../components/Problem';
import { asApiError, deleteProfile, profilesQuery, type Model, type Profile } from '../../lib/api';
import { duration, percent, when } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import { enrolment } from './enrolment';

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
    <section className="card" aria-label={words.known}>
      <Title order={3} size="h4" mb="xs">
        {words.known}
      </Title>
      {failure && <ServerProblem error={asApiError(failure)} onRetry={() => void refetch()} />}
      {!profiles && !error && <Loader className="waiting" aria-label={words.loading} />}
      {profiles?.length === 0 && <Nothing />}
      {profiles && profiles.length > 0 && (
        <>
          <Text size="sm" c="dimmed">
            {words.varietyMeaning}
          </Text>
          <ul className="profiles">
            {profiles.map((profile) => (
              <Row key={profile.name} profile={profile} model={title(profile.model)} onUse={() => onUse(profile)} onDelete={() => setDoomed(profile)} />
            ))}
          </ul>
        </>
      )}
      {doomed && <ConfirmDelete sentence={words.confirmOne(doomed.name)} onClose={() => setDoomed(null)} onDelete={() => remove.mutate(doomed.name)} />}
    </section>
  );
}

function Nothing() {
  const { voices: words } = useWords();
  return (
    <div className="nothing">
      <IconUsers aria-hidden size={36} stroke={1.4} className="nothing-sign" />
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
    <li className="profile">
      <div className="profile-text">
        <Text fw={600} className="profile-name">
          {name}
        </Text>
        <Text size="sm" c="dimmed">
          {model ?? profile.model} · {words.of(clips, duration(speech))} · {when(created)}
        </Text>
      </div>
      {clips > 1 && <Variety share={Math.min(1, Math.max(0, variety))} />}
      <div className="actions">
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
    <div className="variety">
      <Text size="sm" c="dimmed" className="numbers">
        {words.variety(percent(share))}
      </Text>
      <span className="bar-track" aria-hidden>
        <span className="bar-fill variety-fill" style={{ inlineSize: `${100 * share}%` }} />
      </span>
    </div>
  );
}

/** Deletes a voice, then shows what the server has. */
function useRemove(onSettled: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: deleteProfile,
    onSuccess: (_, name) => enrolment.forget(name),
    onSettled: () => {
      onSettled();
      return queries.invalidateQueries({ queryKey: profilesQuery.queryKey });
    },
  });
}
