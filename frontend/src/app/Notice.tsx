import { Anchor, CloseButton, Text } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconInfoCircle } from '@tabler/icons-react';
import { useWords } from '../lib/i18n/language';
import css from './Notice.module.css';

const LAW = 'https://eur-lex.europa.eu/eli/reg/2024/1689/oj';

/** First-use notice: a banner that stays dismissed. */
export function Notice() {
  const { notice } = useWords();
  const [seen, setSeen] = useLocalStorage({ key: 'notice-seen', defaultValue: false, getInitialValueInEffect: false });
  if (seen) return null;
  return (
    <aside className={css.notice} aria-label={notice.label}>
      <IconInfoCircle aria-hidden size={20} className={css.noticeIcon} />
      <Text size="sm">
        {notice.before}
        <Anchor inherit c="inherit" underline="always" href={LAW} rel="noreferrer" target="_blank">
          {notice.link}
        </Anchor>
        {notice.after}
      </Text>
      <CloseButton aria-label={notice.dismiss} onClick={() => setSeen(true)} />
    </aside>
  );
}
