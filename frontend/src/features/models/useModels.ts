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

/** The initially selected model: the one that the server calls the most accurate, else its default. */
export function preselected(models: Model[], standard: string): Model | undefined {
  return models.find(({ most_accurate: best }) => best) ?? models.find(({ name }) => name === standard);
}
