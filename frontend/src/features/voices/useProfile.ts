import { useLocalStorage } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { profilesQuery } from '../../lib/api';
import { enrollment } from './enrollment';

const NO_PROFILE = '';

export interface SelectedProfile {
  /** Names of the speaker profiles of the model. */
  names: string[];
  /** Name of the selected profile; undefined for none. */
  speaker?: string;
  /** Whether the list of profiles was loaded, or failed to load. */
  known: boolean;
  choose: (name?: string, model?: string) => void;
}

/** Speaker profiles of a model and the selected one, which is remembered per model and ignored once it is deleted. */
export function useProfile(model?: string): SelectedProfile {
  const { data, isPending } = useQuery(profilesQuery);
  const [remembered, remember] = useLocalStorage<Record<string, string>>({
    key: 'voices',
    defaultValue: {},
    getInitialValueInEffect: false,
  });
  useRefetchAfterEnrollment();
  const names = (data ?? []).filter((profile) => profile.model === model).map(({ name }) => name);
  const wanted = model && remembered[model];
  return {
    names,
    speaker: names.find((name) => name === wanted),
    known: !isPending,
    choose: (name = NO_PROFILE, target = model) => target && remember((now) => ({ ...now, [target]: name })),
  };
}

/** Refetches the profiles after each attempt to create one, in any view and whatever its outcome. */
function useRefetchAfterEnrollment(): void {
  const queries = useQueryClient();
  const busy = useSyncExternalStore(enrollment.subscribe, () => enrollment.snapshot().share !== null);
  useEffect(() => {
    if (busy) return () => void queries.invalidateQueries({ queryKey: profilesQuery.queryKey });
  }, [busy, queries]);
}
