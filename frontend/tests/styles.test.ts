/** Checks that src/app/mantine.ts imports the styles of every Mantine component in use. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Style sheets of components that are not just their own: composites, and those without styles. */
const MADE_OF: Record<string, string[]> = {
  Select: ['Input', 'Combobox', 'ScrollArea'],
  MultiSelect: ['Input', 'Combobox', 'ScrollArea', 'Pill', 'PillsInput'],
  TextInput: ['Input'],
  RangeSlider: ['Slider'],
  Switch: ['Switch', 'InlineInput'],
  Modal: ['Modal', 'ModalBase', 'Overlay', 'Paper'],
  SegmentedControl: ['SegmentedControl', 'FloatingIndicator'],
  DirectionProvider: [],
  FileButton: [],
  MantineProvider: ['baseline', 'default-css-variables', 'global'],
};

const styled = readFileSync('src/app/mantine.ts', 'utf-8');

test('every component in use has its styles', () => {
  const used = globSync('src/**/*.{ts,tsx}').flatMap((file) => {
    const found = /import \{([^}]*)\} from '@mantine\/core'/.exec(readFileSync(file, 'utf-8'))?.[1] ?? '';
    return found
      .split(',')
      .map((name) => name.trim())
      .filter((name) => /^[A-Z]/.test(name));
  });
  const needed = [...new Set(used)].flatMap((name) => MADE_OF[name] ?? [name]);
  expect(needed.length).toBeGreaterThan(15);
  expect(needed.filter((name) => !styled.includes(`/${name}.layer.css'`))).toEqual([]);
});

test("the styles are in Mantine's order, on which overrides depend", () => {
  const plain = (name: string) => readFileSync(`node_modules/@mantine/core/${name}.css`, 'utf-8').replaceAll(/\s+/g, '');
  const whole = plain('styles');
  const places = [...styled.matchAll(/styles\/([\w-]+)\.layer\.css/g)].map(([, name]) =>
    whole.indexOf(plain(`styles/${name}`).slice(0, 200)),
  );
  expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
  expect(places).toEqual(places.toSorted((one, other) => one - other));
});
