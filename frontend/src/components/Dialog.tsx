import { Button, Group, Modal, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useWords } from '../lib/language';

/** Closed by Escape, by its own buttons, or by a click beside it. Mantine's own heading would be a second page header. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  return (
    <Modal.Root opened onClose={onClose} centered>
      <Modal.Overlay />
      <Modal.Content aria-label={title}>
        <Modal.Body pt="md">
          <Title order={2} size="h4" mb="sm">
            {title}
          </Title>
          {children}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

interface Props {
  sentence: string;
  onClose: () => void;
  onDelete: () => void;
}

/** Asks before something is deleted for good. */
export function ConfirmDelete({ sentence, onClose, onDelete }: Props) {
  const { dialog } = useWords();
  return (
    <Dialog title={dialog.confirm} onClose={onClose}>
      <Text className="file-name">{sentence}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          {dialog.cancel}
        </Button>
        <Button className="danger" onClick={onDelete}>
          {dialog.delete}
        </Button>
      </Group>
    </Dialog>
  );
}
