import { expect, test } from 'vitest';
import { parseCsv, writeCsv } from './csv';
import { readLabels, relabel, score } from './scores';

test('CSV is read as it was written, whatever is in it', () => {
  const rows = [['a', 'say "no", now', 'two\nlines', ''], ['ü', ' x', '1', '2']];
  expect(parseCsv(writeCsv(rows))).toEqual([['a', 'say "no", now', 'two\nlines', ''], ['ü', 'x', '1', '2']]);
  expect(parseCsv('\uFEFFa;b\r\n1;2\r\n')).toEqual([['a', 'b'], ['1', '2']]);
  expect(writeCsv([['=HYPERLINK(1)', 0.5, null]])).toBe("'=HYPERLINK(1),0.5,\r\n");
});

test('labels are found by the names of the columns, or taken as file and emotion', () => {
  const named = readLabels('speaker,emotion,file\nanna,Anger,clips/One.wav\nben,joy,two.wav\n')!;
  expect([...named.byFile]).toEqual([['one.wav', 'angry'], ['two.wav', 'happy']]);
  const plain = readLabels('one.wav\tsad\ntwo.wav\tbored\n')!;
  expect([...plain.byFile]).toEqual([['one.wav', 'sad']]);
  expect(plain.unknown).toEqual(['bored']);
  expect(readLabels('nothing here')).toBeNull();
});

test('calm counts as neutral for a model without it, an unknown emotion for nothing', () => {
  expect(relabel('calm', ['neutral', 'sad'])).toBe('neutral');
  expect(relabel('calm', ['calm', 'neutral'])).toBe('calm');
  expect(relabel('fearful', ['happy'])).toBeNull();
});

test('the report agrees with counting by hand', () => {
  const pairs = [
    ...Array.from({ length: 6 }, () => ({ truth: 'happy', answer: 'happy' }) as const),
    { truth: 'happy', answer: 'sad' } as const,
    { truth: 'happy', answer: 'no_speech' } as const,
    { truth: 'sad', answer: 'sad' } as const,
    { truth: 'sad', answer: 'angry' } as const,
  ];
  const report = score(pairs)!;
  expect(report.labels).toEqual(['happy', 'sad']);
  expect(report.answers).toEqual(['angry', 'happy', 'sad', 'no_speech']);
  expect(report.matrix).toEqual([[0, 6, 1, 1], [1, 0, 1, 0]]);
  expect(report.wa).toBeCloseTo(0.7);
  expect(report.ua).toBeCloseTo((0.75 + 0.5) / 2);
  expect(report.rows.map(({ precision }) => precision)).toEqual([1, 0.5]);
  expect(report.f1).toBeCloseTo((12 / 14 + 2 / 4) / 2);
  expect(score([])).toBeNull();
});
