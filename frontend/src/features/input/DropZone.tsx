import { Button, Text } from '@mantine/core';
import { useWindowEvent } from '@mantine/hooks';
import { IconUpload } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import type { Limits } from '../../lib/api';
import { useWords } from '../../lib/language';

interface Props {
  limits?: Limits;
  onFile: (file: File) => void;
}

/** A file by click, by keyboard, or dropped anywhere on the page. */
export function DropZone({ limits, onFile }: Props) {
  const { drop } = useWords();
  const chooser = useRef<HTMLInputElement>(null);
  const dragging = useDropAnywhere(onFile);
  const accept = limits && [...limits.formats.map((format) => `.${format}`), 'audio/*'].join();
  return (
    <div className={`dropzone ${dragging ? 'dropzone-active' : ''}`}>
      <IconUpload aria-hidden size={26} stroke={1.6} />
      <Text fw={600} mt={8}>
        {dragging ? drop.letGo : drop.here}
      </Text>
      <Text size="sm" c="dimmed" mb="md">
        {limits ? drop.limits(Math.floor(limits.max_upload_bytes / 2 ** 20), limits.max_audio_seconds / 60) : drop.formats}
      </Text>
      <Button variant="default" onClick={() => chooser.current?.click()}>
        {drop.choose}
      </Button>
      <input
        ref={chooser}
        type="file"
        hidden
        data-testid="file"
        accept={accept}
        onChange={({ currentTarget }) => {
          const file = currentTarget.files?.[0];
          currentTarget.value = ''; // so that the same file can be chosen again
          if (file) onFile(file);
        }}
      />
    </div>
  );
}

function useDropAnywhere(onFile: (file: File) => void): boolean {
  const [depth, setDepth] = useState(0); // how many elements the pointer has entered and not left
  const isFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files');
  useWindowEvent('dragenter', (event) => isFile(event) && setDepth((now) => now + 1));
  useWindowEvent('dragleave', (event) => isFile(event) && setDepth((now) => Math.max(0, now - 1)));
  useWindowEvent('dragover', (event) => event.preventDefault());
  useWindowEvent('drop', (event) => {
    event.preventDefault();
    setDepth(0);
    const file = event.dataTransfer?.files[0];
    if (file) onFile(file);
  });
  return depth > 0;
}
