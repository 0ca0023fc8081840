import { Text, UnstyledButton } from '@mantine/core';
import { IconPlayerPlayFilled } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { samplesQuery, type Sample } from '../../lib/api';

/** Three voices that give a result with one click. */
export function Samples({ onSample }: { onSample: (sample: Sample) => void }) {
  const { data } = useQuery(samplesQuery);
  if (!data) return null;
  return (
    <section aria-label="Sample recordings">
      <Text size="sm" c="dimmed" mb={8}>
        No recording at hand? Try one of these actors:
      </Text>
      <ul className="samples">
        {data.map((sample) => (
          <li key={sample.file}>
            <UnstyledButton className="sample" onClick={() => onSample(sample)}>
              <IconPlayerPlayFilled aria-hidden size={14} className="sample-icon" />
              <span>
                <Text span fw={600} size="sm" display="block">
                  {sample.title}
                </Text>
                <Text span size="xs" c="dimmed" display="block">
                  {sample.note}
                </Text>
              </span>
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </section>
  );
}
