import { useLocalStorage } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { profilesQuery } from '../../lib/api';
import { enrollment } from './enrollment';

const NOBODY = '';

export interface Voice {
  /** Of the profiles that the model can use. */
  names: string[];
  /** The chosen one; undefined for nobody in particular. */
  speaker?: string;
  /** Whether it is known which profiles there are, or that this cannot be known. */
  known: boolean;
  choose: (name?: string, model?: string) => void;
}

/** The voices that a model can be calibrated to, and the chosen one: remembered for each model, let go of once it is deleted. */
export function useVoice(model?: string): Voice {
  const { data, isPending } = useQuery(profilesQuery);
  const [remembered, remember] = useLocalStorage<Record<string, string>>({
    key: 'voices',
    defaultValue: {},
    getInitialValueInEffect: false,
  });
  useNews();
  const names = (data ?? []).filter((profile) => profile.model === model).map(({ name }) => name);
  const wanted = model && remembered[model];
  return {
    names,
    speaker: names.find((name) => name === wanted),
    known: !isPending,
    choose: (name = NOBODY, whose = model) => whose && remember((now) => ({ ...now, [whose]: name })),
  };
}

/** Asks for the profiles again once one was sent, whatever view is open by then and however it ended. */
function useNews(): void {
  const queries = useQueryClient();
  const busy = useSyncExternalStore(enrollment.subscribe, () => enrollment.snapshot().share !== null);
  useEffect(() => {
    if (busy) return () => void queries.invalidateQueries({ queryKey: profilesQuery.queryKey });
  }, [busy, queries]);
}
