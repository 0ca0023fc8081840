import { Button, TextInput } from '@mantine/core';
import { IconCheck, IconLink } from '@tabler/icons-react';
import { useState } from 'react';
import { useWords } from '../../lib/i18n/language';

const focus = (field: HTMLInputElement | null) => field?.focus();

/** Copies an address that shows the same; only samples have one. Where the browser lets no page copy, the person can. */
export function CopyLink({ path }: { path: string }) {
  const { exports } = useWords();
  const [state, setState] = useState<'ready' | 'copied' | 'refused'>('ready');
  const link = window.location.origin + path;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link); // there is no clipboard at an insecure address
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
