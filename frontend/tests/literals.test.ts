/** The linter keeps words out of the components; this shows that it would find them. */
import { ESLint } from 'eslint';
import ts from 'typescript-eslint';
import { expect, test } from 'vitest';

// the rules about words need no types, and the files are none that the compiler knows
const linter = new ESLint({ cwd: process.cwd(), overrideConfig: [ts.configs.disableTypeChecked] });

async function complaints(jsx: string, filePath = 'src/components/Thing.tsx'): Promise<number> {
  const code = `export const Thing = ({ busy, name }: { busy: boolean; name: string }) => ${jsx};\n`;
  const [result] = await linter.lintText(code, { filePath });
  return result!.messages.filter(({ ruleId }) => ruleId === 'no-restricted-syntax').length;
}

test.each([
  '<p>Hello there</p>',
  '<p>{busy ? "Please wait" : name}</p>',
  '<p>{`Dear ${name}`}</p>',
  '<button aria-label="Close it" />',
  '<img alt={busy ? "Waiting" : name} />',
  '<p>नमस्ते</p>',
])('%s is found', async (jsx) => {
  expect(await complaints(jsx)).toBeGreaterThan(0);
});

test.each(['<p className="file name">{name}</p>', '<p>{busy && name} · </p>', '<p id={`row-${name}`}>{busy ? 1 : 2}</p>'])(
  '%s is left alone',
  async (jsx) => {
    expect(await complaints(jsx)).toBe(0);
  },
);

test.each(['`${name} KiB`', '`${name} s`', '[name, `${busy} मि॰`]'])('%s is found outside of JSX too', async (code) => {
  expect(await complaints(code, 'src/lib/thing.ts')).toBeGreaterThan(0);
});

test.each(['`${name} %`', '`Bearer ${name}`', '`/api/${name}/end`'])('%s is a name or a sign, and left alone', async (code) => {
  expect(await complaints(code, 'src/lib/thing.ts')).toBe(0);
});
