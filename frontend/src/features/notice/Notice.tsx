import { Anchor, CloseButton, Text } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconInfoCircle } from '@tabler/icons-react';

/** The first-use notice: a banner, never in the way, dismissed once and for all. */
export function Notice() {
  const [seen, setSeen] = useLocalStorage({ key: 'notice-seen', defaultValue: false, getInitialValueInEffect: false });
  if (seen) return null;
  return (
    <aside className="notice" aria-label="Before you start">
      <IconInfoCircle aria-hidden size={20} className="notice-icon" />
      <Text size="sm">
        This hears how a voice <em>sounds</em>, not what a person feels, and it learnt from actors. Your audio is analysed in
        memory and never stored. Do not decide about people with it: in the EU, inferring emotions at work or in education is{' '}
        <Anchor inherit underline="always" href="https://eur-lex.europa.eu/eli/reg/2024/1689/oj" rel="noreferrer" target="_blank">
          prohibited
        </Anchor>
        .
      </Text>
      <CloseButton aria-label="Dismiss this notice" onClick={() => setSeen(true)} />
    </aside>
  );
}
