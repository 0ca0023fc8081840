import { Button, Group, Modal, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useWords } from '../../lib/language';

const LONGEST_TITLE = 200;

interface ConfirmProps {
  sentence: string;
  onClose: () => void;
  onDelete: () => void;
}

export function ConfirmDelete({ sentence, onClose, onDelete }: ConfirmProps) {
  const { sessions: words } = useWords();
  return (
    <Modal opened onClose={onClose} title={words.confirm} centered closeButtonProps={{ 'aria-label': words.close }}>
      <Text className="file-name">{sentence}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          {words.cancel}
        </Button>
        <Button className="danger" onClick={onDelete}>
          {words.delete}
        </Button>
      </Group>
    </Modal>
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
    <Modal opened onClose={onClose} title={words.rename} centered closeButtonProps={{ 'aria-label': words.close }}>
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
    </Modal>
  );
}
