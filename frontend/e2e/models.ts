import type { APIRequestContext } from '@playwright/test';

interface Listed {
  name: string;
  labels: string[];
  most_accurate: boolean;
  profiles: boolean;
}

/** The page's initial model: the one that the server calls the most accurate. */
export async function firstModel(request: APIRequestContext): Promise<Listed> {
  const { models } = (await (await request.get('/api/v1/models')).json()) as { models: Listed[] };
  return models.find(({ most_accurate: best }) => best)!;
}
