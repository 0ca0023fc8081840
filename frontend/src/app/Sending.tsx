import { Button, Loader, Progress, Text } from '@mantine/core';

interface Props {
  name: string;
  /** Of the upload, 0 to 1. */
  share: number;
  onCancel: () => void;
}

export function Sending({ name, share, onCancel }: Props) {
  const uploading = share < 1;
  return (
    <section className="card sending" aria-label="Analysing">
      <Loader type="bars" aria-hidden />
      <Text fw={600} role="status" className="file-name">
        {uploading && share > 0 ? 'Sending' : 'Listening to'} {name}
      </Text>
      {uploading && share > 0 && <Progress value={100 * share} w="100%" maw={320} aria-label="Upload" />}
      <Button variant="default" onClick={onCancel}>
        Cancel
      </Button>
    </section>
  );
}
