import { expect, test } from 'vitest';
import { en } from './en';
import { es } from './es';
import { hi } from './hi';

/** Every entry as its path and kind: a text, an empty text or a function of so many parameters. */
function entries(words: object, path = ''): [string, string][] {
  return Object.entries(words).flatMap(([name, value]): [string, string][] => {
    const here = `${path}${name}`;
    if (typeof value === 'string') return [[here, value.trim() ? 'text' : 'empty']];
    if (typeof value === 'function') return [[here, `function of ${value.length}`]];
    return entries(value as object, `${here}.`);
  });
}

test.each([
  ['Spanish', es],
  ['Hindi', hi],
])('%s has the same entries as English', (_, words) => {
  expect(entries(words)).toEqual(entries(en));
  expect(entries(words).filter(([, kind]) => kind === 'empty')).toEqual([]);
});

test('translated texts differ from English, except for names', () => {
  const same = (words: object) => {
    const english = new Map(flat(en));
    return flat(words).filter(([path, text]) => /\p{L}{4}/u.test(text) && english.get(path) === text);
  };
  const names = /^(product|drop\.formats|explorer\.kinds|exports\.formats|about\.law|explorer\.space|explorer\.keys\.zoom|emotions\.neutral)/;
  expect(same(hi).filter(([path]) => !names.test(path))).toEqual([]);
  expect(same(es).filter(([path]) => !names.test(path))).toEqual([]);
});

test.each([
  ['English', en],
  ['Spanish', es],
  ['Hindi', hi],
])('%s has no exclamation marks, no double spaces and no space before an ellipsis', (_, words) => {
  expect(flat(words).filter(([, text]) => /[!¡]| {2}|\s…/.test(text))).toEqual([]);
});

function flat(words: object, path = ''): [string, string][] {
  return Object.entries(words).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' ? [[`${path}${name}`, value]] : typeof value === 'object' ? flat(value as object, `${path}${name}.`) : [],
  );
}

test.each([en, hi, es])('the notice and the About page name the articles of the law', ({ notice, about }) => {
  const texts = [`${notice.before}${notice.link}${notice.after}`, `${about.prohibitedText} ${about.law}`];
  for (const text of texts) for (const part of ['2024/1689', ' 5', 'III', ' 50']) expect(text).toContain(part);
});
