import type { APIRequestContext } from '@playwright/test';

interface Listed {
  name: string;
  labels: string[];
  figure: { ua: number; speaker_independent: boolean } | null;
}

/** The page's initial model: the most accurate one on unseen speakers. */
export async function firstModel(request: APIRequestContext): Promise<Listed> {
  const { models } = (await (await request.get('/api/v1/models')).json()) as { models: Listed[] };
  const measured = models.filter(({ figure }) => figure?.speaker_independent);
  return measured.toSorted((one, other) => other.figure!.ua - one.figure!.ua)[0]!;
}
