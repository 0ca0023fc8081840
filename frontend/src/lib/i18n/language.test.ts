import { afterEach, expect, test } from 'vitest';
import { advice } from '../api/problems';
import { emotionName } from '../emotions';
import { duration, either, number } from './format';
import { chooseLanguage, preferred, startLanguage, words } from './language';

afterEach(() => chooseLanguage('en'));

test("the language is the chosen one, else the browser's preferred one, else English", () => {
  expect(preferred(null, ['hi-IN', 'en'])).toBe('hi');
  expect(preferred('es', ['hi-IN'])).toBe('es');
  expect(preferred('klingon', ['fr', 'ES-mx'])).toBe('es');
  expect(preferred(null, ['fr', 'de'])).toBe('en');
});

test('choosing a language changes texts, number formats and the document, and persists', async () => {
  await chooseLanguage('es');
  expect(words().views.live).toBe('En vivo');
  expect(emotionName('happy')).toBe('Alegría');
  expect(advice('audio_too_short').title).toBe('La grabación es demasiado corta');
  expect([number(1.5, 1), duration(3.62), either(['a', 'b', 'c'])]).toEqual(['1,5', '3,6 s', 'a, b o c']);
  expect([document.documentElement.lang, document.documentElement.dir]).toEqual(['es', 'ltr']);
  await chooseLanguage('en');
  localStorage.setItem('language', 'hi');
  await startLanguage();
  expect(document.documentElement.lang).toBe('hi');
  expect(words().views.live).toBe('लाइव');
});
