import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { modelsQuery, type Model } from '../../lib/api';

const NONE: Model[] = [];

/** The models on the server and the selected one, which all views share. */
export function useModels() {
  const { data } = useQuery(modelsQuery);
  const models = data?.models ?? NONE;
  const [picked, choose] = useState<string>();
  const chosen = useMemo(
    () => models.find(({ name }) => name === picked) ?? preselected(models, data?.default ?? ''),
    [models, picked, data?.default],
  );
  return { models, chosen, choose };
}

/** The initially selected model: the best on new speakers, else the server's default. */
export function preselected(models: Model[], standard: string): Model | undefined {
  const measured = models.filter(({ figure }) => figure?.speaker_independent);
  const best = measured.toSorted((one, other) => (other.figure?.ua ?? 0) - (one.figure?.ua ?? 0))[0];
  return best ?? models.find(({ name }) => name === standard);
}
