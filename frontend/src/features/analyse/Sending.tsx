import { Button, Loader, Progress, Text } from '@mantine/core';
import clsx from 'clsx';
import layout from '../../components/layout.module.css';
import text from '../../components/text.module.css';
import { useAnnounced } from '../../lib/announce';
import { useWords } from '../../lib/i18n/language';
import css from './Sending.module.css';

interface Props {
  name: string;
  /** Upload progress, 0 to 1. */
  share: number;
  onCancel: () => void;
}

export function Sending({ name, share, onCancel }: Props) {
  const { sending } = useWords();
  const uploading = share > 0 && share < 1;
  const doing = name ? (uploading ? sending.sending(name) : sending.listening(name)) : sending.opening;
  useAnnounced(doing);
  return (
    <section className={clsx(layout.card, css.sending)} aria-label={sending.label}>
      <Loader type="bars" aria-hidden />
      <Text fw={600} className={text.fileName}>
        {doing}
      </Text>
      {uploading && <Progress value={100 * share} w="100%" maw={320} aria-label={sending.upload} />}
      <Button variant="default" onClick={onCancel}>
        {sending.cancel}
      </Button>
    </section>
  );
}
