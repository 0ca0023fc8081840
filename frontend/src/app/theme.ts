import { createTheme, type MantineColorsTuple } from '@mantine/core';

const teal: MantineColorsTuple = [
  '#e9f6f4',
  '#d2ebe8',
  '#a6d8d2',
  '#75c4bb',
  '#4fb1a7',
  '#2f9a90',
  '#197f77',
  '#0f6b66',
  '#0b5551',
  '#07403d',
];

const dark: MantineColorsTuple = [
  '#e9eeed',
  '#c3cccb',
  '#a5b1b2',
  '#7c898c',
  '#46535a',
  '#2d3639',
  '#232a2d',
  '#1b2123',
  '#121617',
  '#0c0f10',
];

export const theme = createTheme({
  colors: { teal, dark },
  primaryColor: 'teal',
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: 'md',
  fontFamily: "'Figtree Variable', 'Noto Sans Devanagari Variable', system-ui, sans-serif",
  headings: { fontFamily: "'Figtree Variable', 'Noto Sans Devanagari Variable', system-ui, sans-serif", fontWeight: '700' },
  respectReducedMotion: true,
});
