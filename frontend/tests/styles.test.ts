/** Every component of Mantine that is used has its styles. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Components that are made of others, and what has no look. */
const MADE_OF: Record<string, string[]> = {
  Select: ['Input', 'Combobox', 'ScrollArea'],
  TextInput: ['Input'],
  RangeSlider: ['Slider'],
  Switch: ['Switch', 'InlineInput'],
  Modal: ['Modal', 'ModalBase', 'Overlay', 'Paper'],
  SegmentedControl: ['SegmentedControl', 'FloatingIndicator'],
  DirectionProvider: [],
  MantineProvider: ['baseline', 'default-css-variables', 'global'],
};

test('what is used is styled', () => {
  const used = globSync('src/**/*.{ts,tsx}').flatMap((file) => {
    const found = /import \{([^}]*)\} from '@mantine\/core'/.exec(readFileSync(file, 'utf-8'))?.[1] ?? '';
    return found.split(',').map((name) => name.trim()).filter((name) => /^[A-Z]/.test(name));
  });
  const styled = readFileSync('src/app/mantine.ts', 'utf-8');
  const needed = [...new Set(used)].flatMap((name) => MADE_OF[name] ?? [name]);
  expect(needed.length).toBeGreaterThan(15);
  expect(needed.filter((name) => !styled.includes(`/${name}.css'`))).toEqual([]);
});
