import { Button, Group, Modal, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { asApiError } from '../lib/api';
import { useReturnedFocus } from '../lib/focus';
import { useWords } from '../lib/i18n/language';
import css from './Dialog.module.css';
import { ServerProblem } from './Problem';
import text from './text.module.css';

/** Closed by Escape, by its own buttons, or by a click beside it; the focus then goes back to where it was, which Mantine
 * does only for a dialog that stays. Mantine's own heading would be a second page header. */
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
  /** Why it could not be deleted. */
  error?: Error | null;
  onClose: () => void;
  onDelete: () => void;
}

/** Asks before something is deleted for good. */
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
