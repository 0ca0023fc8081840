import { Button, Group, Modal, Text, TextInput, Title } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useWords } from '../../lib/language';

const LONGEST_TITLE = 200;

/** Closed by Escape, by its own buttons, or by a click beside it. Mantine's own heading would be a second page header. */
function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
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

interface ConfirmProps {
  sentence: string;
  onClose: () => void;
  onDelete: () => void;
}

export function ConfirmDelete({ sentence, onClose, onDelete }: ConfirmProps) {
  const { sessions: words } = useWords();
  return (
    <Dialog title={words.confirm} onClose={onClose}>
      <Text className="file-name">{sentence}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          {words.cancel}
        </Button>
        <Button className="danger" onClick={onDelete}>
          {words.delete}
        </Button>
      </Group>
    </Dialog>
  );
}

interface RenameProps {
  title: string;
  onClose: () => void;
  onRename: (title: string) => void;
}

export function Rename({ title, onClose, onRename }: RenameProps) {
  const { sessions: words } = useWords();
  const [value, setValue] = useState(title);
  return (
    <Dialog title={words.rename} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (value.trim()) onRename(value.trim());
        }}
      >
        <TextInput
          data-autofocus
          label={words.name}
          maxLength={LONGEST_TITLE}
          value={value}
          onChange={({ currentTarget }) => setValue(currentTarget.value)}
        />
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={onClose}>
            {words.cancel}
          </Button>
          <Button type="submit" disabled={!value.trim()}>
            {words.save}
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}
