import { Button, Text } from '@mantine/core';
import { useWindowEvent } from '@mantine/hooks';
import { IconUpload } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import type { Limits } from '../lib/api';
import { useWords } from '../lib/i18n/language';

interface Props {
  limits?: Limits;
  /** Whether several may be given at once. */
  multiple?: boolean;
  onFiles: (files: File[]) => void;
}

/** Files by click, by keyboard, or dropped anywhere on the page. */
export function DropZone({ limits, multiple = false, onFiles }: Props) {
  const { drop } = useWords();
  const { here, letGo, choose } = multiple ? drop.several : drop;
  const chooser = useRef<HTMLInputElement>(null);
  const dragging = useDropAnywhere(onFiles);
  const accept = limits && [...limits.formats.map((format) => `.${format}`), 'audio/*'].join();
  return (
    <div className={`dropzone ${dragging ? 'dropzone-active' : ''}`}>
      <IconUpload aria-hidden size={26} stroke={1.6} />
      <Text fw={600} mt={8}>
        {dragging ? letGo : here}
      </Text>
      <Text size="sm" c="dimmed" mb="md">
        <Room limits={limits} multiple={multiple} />
      </Text>
      <Button variant="default" onClick={() => chooser.current?.click()}>
        {choose}
      </Button>
      <input
        ref={chooser}
        type="file"
        multiple={multiple}
        hidden
        data-testid="file"
        accept={accept}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          currentTarget.value = ''; // so that the same file can be chosen again
          onFiles(files);
        }}
      />
    </div>
  );
}

/** What may be given. */
function Room({ limits, multiple }: { limits?: Limits; multiple: boolean }) {
  const { drop } = useWords();
  if (!limits) return drop.formats;
  const megabytes = Math.floor(limits.max_upload_bytes / 2 ** 20);
  return multiple ? drop.several.limits(megabytes) : drop.limits(megabytes, limits.max_audio_seconds / 60);
}

function useDropAnywhere(onFiles: (files: File[]) => void): boolean {
  const [depth, setDepth] = useState(0); // how many elements the pointer has entered and not left
  const isFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files');
  useWindowEvent('dragenter', (event) => isFile(event) && setDepth((now) => now + 1));
  useWindowEvent('dragleave', (event) => isFile(event) && setDepth((now) => Math.max(0, now - 1)));
  useWindowEvent('dragover', (event) => event.preventDefault());
  useWindowEvent('drop', (event) => {
    event.preventDefault();
    setDepth(0);
    onFiles([...(event.dataTransfer?.files ?? [])]);
  });
  return depth > 0;
}
