import { Text, UnstyledButton } from '@mantine/core';
import { IconPlayerPlayFilled } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { samplesQuery, type Sample } from '../../lib/api';
import { emotionName } from '../../lib/emotions';
import { useWords } from '../../lib/i18n/language';
import css from './Samples.module.css';

/** Sample recordings, analysed with one click. */
export function Samples({ onSample }: { onSample: (sample: Sample) => void }) {
  const { samples } = useWords();
  const { data } = useQuery(samplesQuery);
  return (
    <section aria-label={samples.label}>
      <Text size="sm" c="dimmed" mb={8}>
        {samples.intro}
      </Text>
      <ul className={css.samples}>
        {data?.map((sample) => (
          <li key={sample.file}>
            <UnstyledButton className={css.sample} onClick={() => onSample(sample)}>
              <IconPlayerPlayFilled aria-hidden size={14} className={css.sampleIcon} />
              <span>
                <Text span fw={600} size="sm" display="block">
                  {samples.title(emotionName(sample.intended))}
                </Text>
                <Text span size="xs" c="dimmed" display="block">
                  {samples[sample.voice](sample.age, sample.says)}
                </Text>
              </span>
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </section>
  );
}
