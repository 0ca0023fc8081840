import { Button, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { Dialog } from '../../components/Dialog';
import { ServerProblem } from '../../components/Problem';
import { asApiError } from '../../lib/api';
import { useWords } from '../../lib/i18n/language';

const LONGEST_TITLE = 200;

interface Props {
  title: string;
  /** Why renaming failed; the new name is preserved. */
  error: Error | null;
  onClose: () => void;
  onRename: (title: string) => void;
}

export function Rename({ title, error, onClose, onRename }: Props) {
  const { sessions: words, dialog } = useWords();
  const [value, setValue] = useState(title);
  return (
    <Dialog title={words.rename} onClose={onClose}>
      {error && <ServerProblem error={asApiError(error)} />}
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
            {dialog.cancel}
          </Button>
          <Button type="submit" disabled={!value.trim()}>
            {words.save}
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}
