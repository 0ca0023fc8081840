import { Button, Loader, Progress, Text } from '@mantine/core';
import { useWords } from '../lib/language';

interface Props {
  name: string;
  /** Of the upload, 0 to 1. */
  share: number;
  onCancel: () => void;
}

export function Sending({ name, share, onCancel }: Props) {
  const { sending } = useWords();
  const uploading = share > 0 && share < 1;
  return (
    <section className="card sending" aria-label={sending.label}>
      <Loader type="bars" aria-hidden />
      <Text fw={600} role="status" className="file-name">
        {name ? (uploading ? sending.sending(name) : sending.listening(name)) : sending.opening}
      </Text>
      {uploading && <Progress value={100 * share} w="100%" maw={320} aria-label={sending.upload} />}
      <Button variant="default" onClick={onCancel}>
        {sending.cancel}
      </Button>
    </section>
  );
}
