import { expect, test } from 'vitest';
import { parseCsv, writeCsv } from './csv';
import { matchLabels, readLabels, relabel, score } from './scores';

test('CSV survives a round trip, and formulas are escaped', () => {
  const rows = [
    ['a', 'say "no", now', 'two\nlines', ''],
    ['ü', ' x', '1', '2'],
  ];
  expect(parseCsv(writeCsv(rows))).toEqual([
    ['a', 'say "no", now', 'two\nlines', ''],
    ['ü', 'x', '1', '2'],
  ]);
  expect(parseCsv('\uFEFFa;b\r\n1;2\r\n')).toEqual([
    ['a', 'b'],
    ['1', '2'],
  ]);
  expect(writeCsv([['=HYPERLINK(1)', 0.5, null]])).toBe('"\'=HYPERLINK(1)",0.5,\r\n');
});

test('labels are read by column name, or as file and emotion without a header', () => {
  const named = readLabels('speaker,emotion,file\nanna,Anger,clips/One.wav\nben,joy,two.wav\n')!;
  expect([...named.byPath]).toEqual([
    ['clips/one.wav', ['angry']],
    ['two.wav', ['happy']],
  ]);
  const plain = readLabels('one.wav\tsad\ntwo.wav\tbored\n')!;
  expect([...plain.byPath]).toEqual([['one.wav', ['sad']]]);
  expect(plain.unknown).toEqual(['bored']);
  expect(readLabels('nothing here')).toBeNull();
});

/** Labels matchLabels to recordings with these paths, in order; "path#5" is a file of 5 bytes. */
function truths(paths: string[], labels: string) {
  const recordings = paths.map((text, id) => {
    const [path, bytes = '1'] = text.split('#') as [string, string?];
    return { id, path, file: new File([new Uint8Array(Number(bytes))], path, { lastModified: 0 }) };
  });
  const found = matchLabels(recordings, readLabels(labels)!);
  return recordings.map(({ id }) => found.get(id));
}

test('a label is matchLabels to the recording with the longest common path suffix', () => {
  const both = 'anger/01.wav,angry\nsad/01.wav,sad';
  expect(truths(['anger/01.wav', 'sad/01.wav'], both)).toEqual(['angry', 'sad']);
  expect(truths(['mine/sad/01.wav', 'mine/Anger/01.WAV'], both)).toEqual(['sad', 'angry']);
  expect(truths(['mine/sad/01.wav'], 'D:\\data\\anger\\01.wav,angry\nD:\\data\\sad\\01.wav,sad')).toEqual(['sad']);
  expect(truths(['clips/one.wav', './two.wav'], 'elsewhere/one.wav,sad\ntwo.wav,happy')).toEqual(['sad', 'happy']);
  expect(truths(['anger/01.wav', 'sad/01.wav'], 'anger/01.wav,angry')).toEqual(['angry', undefined]);
  expect(truths(['anger/01.wav', 'sad/01.wav'], 'anger/01.wav,angry\n01.wav,sad')).toEqual(['angry', 'sad']);
});

test('a label that fits several recordings or contradicts another is ambiguous', () => {
  expect(truths(['01.wav'], 'anger/01.wav,angry\nsad/01.wav,sad')).toEqual(['ambiguous']);
  expect(truths(['01.wav'], 'anger/01.wav,angry\nmad/01.wav,angry')).toEqual(['angry']);
  expect(truths(['01.wav'], '01.wav,angry\n01.wav,sad')).toEqual(['ambiguous']);
  expect(truths(['01.wav'], '01.wav,angry\n01.wav,anger')).toEqual(['angry']);
  expect(truths(['anger/01.wav', 'sad/01.wav'], '01.wav,angry')).toEqual(['ambiguous', 'ambiguous']);
  expect(truths(['01.wav#5', '01.wav#6'], '01.wav,angry')).toEqual(['ambiguous', 'ambiguous']);
  expect(truths(['01.wav#5', '01.wav#5'], '01.wav,angry')).toEqual(['angry', 'angry']);
});

test('calm counts as neutral for a model without it, and other unknown classes are left out', () => {
  expect(relabel('calm', ['neutral', 'sad'])).toBe('neutral');
  expect(relabel('calm', ['calm', 'neutral'])).toBe('calm');
  expect(relabel('fearful', ['happy'])).toBeNull();
});

test('the report agrees with a manual calculation', () => {
  const pairs = [
    ...Array.from({ length: 6 }, () => ({ truth: 'happy', predicted: 'happy' }) as const),
    { truth: 'happy', predicted: 'sad' } as const,
    { truth: 'happy', predicted: 'no_speech' } as const,
    { truth: 'sad', predicted: 'sad' } as const,
    { truth: 'sad', predicted: 'angry' } as const,
  ];
  const report = score(pairs)!;
  expect(report.labels).toEqual(['happy', 'sad']);
  expect(report.predictions).toEqual(['angry', 'happy', 'sad', 'no_speech']);
  expect(report.matrix).toEqual([
    [0, 6, 1, 1],
    [1, 0, 1, 0],
  ]);
  expect(report.wa).toBeCloseTo(0.7);
  expect(report.ua).toBeCloseTo((0.75 + 0.5) / 2);
  expect(report.rows.map(({ precision }) => precision)).toEqual([1, 0.5]);
  expect(report.f1).toBeCloseTo((12 / 14 + 2 / 4) / 2);
  expect(score([])).toBeNull();
});
