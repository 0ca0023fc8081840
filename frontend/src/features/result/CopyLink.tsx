import { Button } from '@mantine/core';
import { IconCheck, IconLink } from '@tabler/icons-react';
import { useState } from 'react';
import { useWords } from '../../lib/language';

/** Copies an address that shows the same; only samples have one. */
export function CopyLink({ path }: { path: string }) {
  const { exports } = useWords();
  const [copied, setCopied] = useState(false);
  return (
    <Button
      variant="default"
      leftSection={copied ? <IconCheck aria-hidden size={16} /> : <IconLink aria-hidden size={16} />}
      onClick={() => void navigator.clipboard.writeText(window.location.origin + path).then(() => setCopied(true))}
    >
      {copied ? exports.copied : exports.link}
    </Button>
  );
}
