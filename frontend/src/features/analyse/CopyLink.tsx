import { Button, TextInput } from '@mantine/core';
import { IconCheck, IconLink } from '@tabler/icons-react';
import { useState } from 'react';
import { useWords } from '../../lib/i18n/language';

const focus = (field: HTMLInputElement | null) => field?.focus();

/** Copies a link to the result of a sample. If the clipboard is unavailable, shows the link for copying by hand. */
export function CopyLink({ path }: { path: string }) {
  const { exports } = useWords();
  const [state, setState] = useState<'ready' | 'copied' | 'refused'>('ready');
  const link = window.location.origin + path;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link); // undefined outside secure contexts
      setState('copied');
    } catch {
      setState('refused');
    }
  };
  if (state === 'refused') {
    return (
      <TextInput
        readOnly
        w={280}
        maw="100%"
        aria-label={exports.byHand}
        value={link}
        ref={focus}
        onFocus={({ target }) => target.select()}
      />
    );
  }
  const copied = state === 'copied';
  return (
    <Button
      variant="default"
      leftSection={copied ? <IconCheck aria-hidden size={16} /> : <IconLink aria-hidden size={16} />}
      onClick={() => void copy()}
    >
      {copied ? exports.copied : exports.link}
    </Button>
  );
}
