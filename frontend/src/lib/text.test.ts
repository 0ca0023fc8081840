import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eitherEmotion, ranked } from './emotions';
import { certainty, clock, duration, elapsed, ofHundred, percent } from './format';
import { advice } from './problems';

test('numbers read well', () => {
  expect([clock(5.9), clock(83)]).toEqual(['0:05', '1:23']);
  expect([duration(3.62), duration(83)]).toEqual(['3.6 s', '1:23 min']);
  expect([elapsed(41.7), elapsed(1540)]).toEqual(['42 ms', '1.5 s']);
  expect([percent(0), percent(0.004), percent(0.126)]).toEqual(['0 %', '< 1 %', '13 %']);
});

test('no answer reads as certain or as impossible', () => {
  expect([certainty(100), certainty(99.2), certainty(98.9), certainty(0.2)]).toEqual(['> 99 %', '> 99 %', '99 %', '< 1 %']);
  expect([ofHundred(99.9), ofHundred(71.2)]).toEqual(['99', '71']);
});

test('emotions are ranked and listed', () => {
  expect(ranked({ angry: 0.2, happy: 0.5, sad: 0.3 }).map(([name]) => name)).toEqual(['happy', 'sad', 'angry']);
  expect(eitherEmotion(['happy'])).toBe('happy');
  expect(eitherEmotion(['happy', 'sad', 'angry'])).toBe('happy, sad or angry');
});

/** Of requests that the page never makes, or that a person can do nothing about: the server's sentence has to do. */
const OTHERS = ['bad_request', 'form_invalid', 'value_invalid', 'file_ambiguous', 'method_not_allowed', 'not_implemented', 'client_gone'];

test('every code of the server has words of its own', () => {
  const { components } = JSON.parse(readFileSync('../backend/openapi.json', 'utf-8'));
  const codes: string[] = components.schemas.Problem.properties.code.enum;
  expect(codes.length).toBeGreaterThan(15);
  const unknown = advice('never heard of').title;
  expect(codes.filter((code) => !OTHERS.includes(code) && !code.startsWith('profile_') && advice(code).title === unknown)).toEqual([]);
});

test('every problem has words, also one that is not known', () => {
  expect(advice('audio_unsupported').todo).toMatch(/WAV/);
  expect(advice('body_too_large').retry).toBe(false);
  expect(advice('never heard of').title).toBeTruthy();
});
