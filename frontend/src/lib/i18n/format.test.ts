import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { advice } from '../api/problems';
import { eitherEmotion, ranked } from '../emotions';
import { amount, certainty, clock, duration, elapsed, ofHundred, percent, percentage, size } from './format';
import { chooseLanguage, words } from './language';

test('numbers, times and sizes are formatted in English', () => {
  expect([clock(5.9), clock(83)]).toEqual(['0:05', '1:23']);
  expect([duration(3.62), duration(83)]).toEqual(['3.6 s', '1:23 min']);
  expect([amount(4.26), amount(24.3), amount(59.8), amount(83)]).toEqual(['4.3 s', '24 s', '59.8 s', '1:23 min']);
  expect([elapsed(41.7), elapsed(1540), elapsed(61_000)]).toEqual(['0.04 s', '1.5 s', '1:01 min']);
  expect([size(84132), size(1300000)]).toEqual(['83 KiB', '1.2 MiB']);
  expect([percent(0), percent(0.004), percent(0.126)]).toEqual(['0%', '< 1%', '13%']);
});

test('units and percentages follow the language', async () => {
  await chooseLanguage('hi');
  expect([duration(3.62), duration(83), elapsed(41.7)]).toEqual(['3.6 से', '1:23 मि॰', '0.04 से']);
  expect([percent(0.92), percentage(55.12, 1), certainty(100)]).toEqual(['92%', '55.1%', '> 99%']);
  await chooseLanguage('es');
  expect([duration(3.62), duration(83), elapsed(41.7)]).toEqual(['3,6 s', '1:23 min', '0,04 s']);
  expect([percent(0.92), percentage(55.12, 1), certainty(100)]).toEqual(['92\u00a0%', '55,1\u00a0%', '> 99\u00a0%']);
  await chooseLanguage('en');
});

test('certainty never shows 100%, nor a positive probability as 0%', () => {
  expect([certainty(100), certainty(99.2), certainty(98.9), certainty(0.2)]).toEqual(['> 99%', '> 99%', '99%', '< 1%']);
  expect([ofHundred(99.9), ofHundred(71.2)]).toEqual(['99', '71']);
});

test('emotions are ranked and joined into a list', () => {
  expect(ranked({ angry: 0.2, happy: 0.5, sad: 0.3 }).map(([name]) => name)).toEqual(['happy', 'sad', 'angry']);
  expect(eitherEmotion(['happy'])).toBe('happy');
  expect(eitherEmotion(['happy', 'sad', 'angry'])).toBe('happy, sad or angry');
});

/** Codes of requests that the page never sends, so they need no message of their own. */
const UNEXPECTED = ['bad_request', 'form_invalid', 'value_invalid', 'client_gone', 'method_not_allowed', 'not_implemented'];

test('every error code of the server has its own message', () => {
  const { components } = JSON.parse(readFileSync('../backend/openapi.json', 'utf-8'));
  const codes: string[] = components.schemas.Problem.properties.code.enum;
  expect(codes.length).toBeGreaterThan(15);
  const unknown = advice('never heard of').title;
  expect(codes.filter((code) => advice(code).title === unknown)).toEqual(UNEXPECTED);
});

test('every warning code of the server has its own message', () => {
  const { components } = JSON.parse(readFileSync('../backend/openapi.json', 'utf-8'));
  const { Prediction, NewProfile } = components.schemas;
  expect(Object.keys(words().warnings)).toEqual(Prediction.properties.warning_codes.items.enum);
  expect(Object.keys(words().voices.better)).toEqual(NewProfile.properties.warning_codes.items.enum);
});

test('known and unknown error codes have a message', () => {
  expect(advice('audio_unsupported').todo).toMatch(/WAV/);
  expect(advice('body_too_large').retry).toBe(false);
  expect(advice('never heard of').title).toBeTruthy();
});
