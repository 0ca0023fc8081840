import { Text, Title } from '@mantine/core';
import clsx from 'clsx';
import { useCallback } from 'react';
import { Canvas, token, type Draw } from '../../components/Canvas';
import { DataTable } from '../../components/DataTable';
import layout from '../../components/layout.module.css';
import text from '../../components/text.module.css';
import type { Curve, Descriptor } from '../../lib/api';
import { number } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import css from './descriptors.module.css';

const CURVE_PIXELS = 44;
const TABLE_ROWS = 60;

interface Props {
  descriptors: Descriptor[];
  curves: Curve[];
  /** s */
  length: number;
}

/** Acoustic descriptors of the voice, each with its value, meaning and curve over time. */
export function Descriptors({ descriptors, curves, length }: Props) {
  const { descriptors: words } = useWords();
  const shown = descriptors.filter(({ name, value }) => value !== null && name !== 'duration' && name !== 'speech');
  if (!shown.length) return null;
  return (
    <section className={layout.card} aria-label={words.label}>
      <Title order={3} size="h4" mb={4}>
        {words.label}
      </Title>
      <Text size="sm" c="dimmed" mb="md">
        {words.intro}
      </Text>
      <ul className={css.descriptors}>
        {shown.map((descriptor) => (
          <Tile key={descriptor.name} descriptor={descriptor} curve={curves.find(({ name }) => name === descriptor.name)} length={length} />
        ))}
      </ul>
      {curves.length > 0 && (
        <DataTable
          caption={words.curves}
          head={[words.time, ...curves.map(({ name, unit }) => `${title(name, words.names)} (${unit})`)]}
          rows={() => rows(curves)}
        />
      )}
    </section>
  );
}

function Tile({ descriptor, curve, length }: { descriptor: Descriptor; curve?: Curve; length: number }) {
  const { descriptors: words } = useWords();
  const { name, value, unit, meaning } = descriptor;
  const known = words.names[name as keyof typeof words.names];
  return (
    <li className={css.descriptor}>
      <Text size="sm" fw={600}>
        {title(name, words.names)}
      </Text>
      <Text className={clsx(text.numbers, css.descriptorValue)}>
        {number(value ?? 0, digits(value ?? 0))} <span>{words.units[unit as keyof typeof words.units] ?? unit}</span>
      </Text>
      {curve && curve.values.filter((one) => one !== null).length > 1 && <Spark curve={curve} length={length} />}
      <Text size="xs" c="dimmed">
        {known?.meaning ?? meaning}
      </Text>
    </li>
  );
}

/** Sparkline without axes; the table has the values. */
function Spark({ curve, length }: { curve: Curve; length: number }) {
  const draw = useCallback<Draw>(
    (context, width, height) => {
      const known = curve.values.filter((value) => value !== null);
      const [low, high] = [Math.min(...known), Math.max(...known)];
      context.strokeStyle = token('--accent');
      context.lineWidth = 1.6;
      context.lineJoin = 'round';
      context.beginPath();
      let drawing = false;
      curve.values.forEach((value, i) => {
        if (value === null) return void (drawing = false); // leaves gaps undrawn
        const x = (curve.times[i]! / length) * width;
        const y = height - 3 - ((value - low) / (high - low || 1)) * (height - 6);
        if (drawing) context.lineTo(x, y);
        else context.moveTo(x, y);
        drawing = true;
      });
      context.stroke();
    },
    [curve, length],
  );
  return (
    <div dir="ltr">
      <Canvas height={CURVE_PIXELS} draw={draw} />
    </div>
  );
}

function title(name: string, names: Record<string, { name: string }>): string {
  return names[name]?.name ?? name.replaceAll('_', ' ');
}

function digits(value: number): number {
  return Math.abs(value) < 1 ? 2 : Math.abs(value) < 100 ? 1 : 0;
}

/** Table rows: every curve sampled at the same times. */
function rows(curves: Curve[]): string[][] {
  const end = Math.max(...curves.map(({ times }) => times.at(-1) ?? 0));
  return Array.from({ length: TABLE_ROWS }, (_, i) => {
    const at = ((i + 0.5) / TABLE_ROWS) * end;
    return [number(at, 2), ...curves.map((curve) => nearest(curve, at))];
  });
}

function nearest({ times, values }: Curve, at: number): string {
  let best = 0;
  times.forEach((time, i) => {
    if (Math.abs(time - at) < Math.abs(times[best]! - at)) best = i;
  });
  const value = values[best];
  return value == null ? '–' : number(value, digits(value));
}
