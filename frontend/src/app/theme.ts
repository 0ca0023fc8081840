import { createTheme, type MantineColorsTuple } from '@mantine/core';

const teal: MantineColorsTuple = [
  '#e9f6f4', '#d2ebe8', '#a6d8d2', '#75c4bb', '#4fb1a7', '#2f9a90', '#197f77', '#0f6b66', '#0b5551', '#07403d',
];

export const theme = createTheme({
  colors: { teal },
  primaryColor: 'teal',
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: 'md',
  fontFamily: "'Figtree Variable', 'Noto Sans Devanagari Variable', system-ui, sans-serif",
  headings: { fontFamily: "'Figtree Variable', 'Noto Sans Devanagari Variable', system-ui, sans-serif", fontWeight: '700' },
  respectReducedMotion: true,
});
