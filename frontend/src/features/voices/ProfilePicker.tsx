import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { profilesQuery } from '../../lib/api';
import { useWords } from '../../lib/i18n/language';
import type { SelectedProfile } from './useProfile';
import css from './voices.module.css';

/** Selects the speaker profile that the model is calibrated to; hidden if the model has none. */
export function ProfilePicker({ voice }: { voice: SelectedProfile }) {
  const { voices } = useWords();
  useQuery(profilesQuery); // refetches on mount, so that deleted profiles are not listed
  const { names, speaker, choose } = voice;
  if (!names.length) return null;
  return (
    <section className={css.voice} aria-label={voices.voice}>
      <Select
        label={voices.voice}
        allowDeselect={false}
        value={speaker ?? ''}
        data={[{ value: '', label: voices.nobody }, ...names.map((name) => ({ value: name, label: name }))]}
        onChange={(name) => choose(name ?? undefined)}
      />
    </section>
  );
}
