/** Which language the page speaks: chosen from the browser's, or by hand and then remembered. Names that the API uses stay English. */
import { useSyncExternalStore } from 'react';
import { remember, remembered } from '../storage';
import { en, type Words } from './words/en';

interface Spoken {
  /** Its name in itself. */
  name: string;
  /** For numbers, dates and lists. */
  locale: string;
  direction: 'ltr' | 'rtl';
  load: () => Promise<Words>;
}

export const LANGUAGES = {
  en: { name: 'English', locale: 'en-GB', direction: 'ltr', load: () => Promise.resolve(en) },
  hi: { name: 'हिन्दी', locale: 'hi-IN', direction: 'ltr', load: () => import('./words/hi').then(({ hi }) => hi) },
  es: { name: 'Español', locale: 'es', direction: 'ltr', load: () => import('./words/es').then(({ es }) => es) },
} satisfies Record<string, Spoken>;

export type Language = keyof typeof LANGUAGES;

const KEY = 'language';
let current: { language: Language; words: Words } = { language: 'en', words: en };
const listeners = new Set<() => void>();

/** The words of the chosen language; the component is rendered anew when another is chosen. */
export function useWords(): Words {
  return useSyncExternalStore(subscribe, () => current.words);
}

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, () => current.language);
}

/** The words now, for what is no component. */
export function words(): Words {
  return current.words;
}

/** The locale now, for `Intl`. */
export function locale(): string {
  return LANGUAGES[current.language].locale;
}

/** Speaks a language from now on, and remembers it. */
export async function chooseLanguage(language: Language): Promise<void> {
  await speak(language);
  remember(KEY, language);
}

/** Speaks what was chosen before, or else the first language of the browser that there is. */
export async function startLanguage(): Promise<void> {
  await speak(preferred(remembered(KEY), navigator.languages)).catch(() => speak('en'));
}

export function preferred(chosen: string | null, browser: readonly string[]): Language {
  const known = [chosen, ...browser].map((tag) => tag?.split('-')[0]?.toLowerCase() ?? '');
  return (known.find((tag) => tag in LANGUAGES) as Language | undefined) ?? 'en';
}

async function speak(language: Language): Promise<void> {
  current = { language, words: await LANGUAGES[language].load() };
  document.documentElement.lang = language;
  document.documentElement.dir = LANGUAGES[language].direction;
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
