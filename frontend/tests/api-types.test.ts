/** Checks that api-types.ts matches the server's OpenAPI document. */
import { readFileSync } from 'node:fs';
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript';
import { expect, test } from 'vitest';

const document = () => JSON.parse(readFileSync('../backend/openapi.json', 'utf-8'));
const generated = async (from: ReturnType<typeof document>) => COMMENT_HEADER + astToString(await openapiTS(from));
const committed = readFileSync('src/lib/api/api-types.ts', 'utf-8').replaceAll('\r\n', '\n');

test('the types are the output of `npm run api-types`', async () => {
  expect(await generated(document())).toBe(committed);
});

test('an additional field is detected', async () => {
  const changed = document();
  changed.components.schemas.Limits.properties.another = { type: 'integer' };
  expect(await generated(changed)).not.toBe(committed);
});
