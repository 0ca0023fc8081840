import { Button, Group, Modal, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { asApiError } from '../lib/api';
import { useReturnedFocus } from '../lib/focus';
import { useWords } from '../lib/i18n/language';
import css from './Dialog.module.css';
import { ServerProblem } from './Problem';
import text from './text.module.css';

/** Modal dialog. Returns focus itself, because Mantine does so only for a modal that stays mounted, and has its own heading,
 * because Mantine's would add a second header landmark. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  useReturnedFocus();
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
  /** Why deleting failed. */
  error?: Error | null;
  onClose: () => void;
  onDelete: () => void;
}

/** Asks for confirmation before a permanent deletion. */
export function ConfirmDelete({ sentence, error, onClose, onDelete }: Props) {
  const { dialog } = useWords();
  return (
    <Dialog title={dialog.confirm} onClose={onClose}>
      {error && <ServerProblem error={asApiError(error)} />}
      <Text className={text.fileName}>{sentence}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          {dialog.cancel}
        </Button>
        <Button className={css.danger} onClick={onDelete}>
          {dialog.delete}
        </Button>
      </Group>
    </Dialog>
  );
}
