/** The page's language: the user's stored choice, else the browser's preference. Names used by the API stay English. */
import { useSyncExternalStore } from 'react';
import { remember, remembered } from '../storage';
import { en, type Words } from './words/en';

interface Locale {
  /** The language's own name. */
  name: string;
  /** Locale for `Intl`: numbers, dates and lists. */
  locale: string;
  direction: 'ltr' | 'rtl';
  load: () => Promise<Words>;
}

export const LANGUAGES = {
  en: { name: 'English', locale: 'en-GB', direction: 'ltr', load: () => Promise.resolve(en) },
  hi: { name: 'हिन्दी', locale: 'hi-IN', direction: 'ltr', load: () => import('./words/hi').then(({ hi }) => hi) },
  es: { name: 'Español', locale: 'es', direction: 'ltr', load: () => import('./words/es').then(({ es }) => es) },
} satisfies Record<string, Locale>;

export type Language = keyof typeof LANGUAGES;

const KEY = 'language';
let current: { language: Language; words: Words } = { language: 'en', words: en };
const listeners = new Set<() => void>();

/** The texts of the current language; re-renders the component when the language changes. */
export function useWords(): Words {
  return useSyncExternalStore(subscribe, () => current.words);
}

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, () => current.language);
}

/** The texts of the current language, for use outside components. */
export function words(): Words {
  return current.words;
}

/** The current locale, for `Intl`. */
export function locale(): string {
  return LANGUAGES[current.language].locale;
}

/** Switches to a language and stores the choice. */
export async function chooseLanguage(language: Language): Promise<void> {
  await activate(language);
  remember(KEY, language);
}

/** Activates the stored language, else the first supported one of the browser's preferences. */
export async function startLanguage(): Promise<void> {
  await activate(preferred(remembered(KEY), navigator.languages)).catch(() => activate('en'));
}

export function preferred(chosen: string | null, browser: readonly string[]): Language {
  const known = [chosen, ...browser].map((tag) => tag?.split('-')[0]?.toLowerCase() ?? '');
  return (known.find((tag) => tag in LANGUAGES) as Language | undefined) ?? 'en';
}

async function activate(language: Language): Promise<void> {
  current = { language, words: await LANGUAGES[language].load() };
  document.documentElement.lang = language;
  document.documentElement.dir = LANGUAGES[language].direction;
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
