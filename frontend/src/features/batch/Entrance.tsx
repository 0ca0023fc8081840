import { Button, Text } from '@mantine/core';
import { useWindowEvent } from '@mantine/hooks';
import { IconFiles, IconFolder } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { useWords } from '../../lib/i18n/language';
import { chosen, dropped, type Found } from './files';

interface Props {
  /** Once there are files it makes room for them. */
  compact: boolean;
  onFiles: (files: Found[]) => void;
}

/** Files or a folder, by click, by keyboard, or dropped anywhere on the page. */
export function Entrance({ compact, onFiles }: Props) {
  const { batch: words } = useWords();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  useWindowEvent('dragover', (event) => {
    event.preventDefault();
    setOver(true);
  });
  useWindowEvent('dragleave', (event) => event.relatedTarget === null && setOver(false));
  useWindowEvent('drop', (event) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer) void dropped(event.dataTransfer.items).then(onFiles);
  });
  const take = ({ currentTarget }: React.ChangeEvent<HTMLInputElement>) => {
    if (currentTarget.files?.length) onFiles(chosen(currentTarget.files));
    currentTarget.value = '';
  };
  return (
    <section className="card" aria-label={words.choose}>
      <div className={`dropzone ${over ? 'dropzone-active' : ''} ${compact ? 'dropzone-compact' : ''}`}>
        {!compact && <IconFiles aria-hidden size={30} stroke={1.5} />}
        <Text fw={600}>{over ? words.letGo : words.drop}</Text>
        {!compact && (
          <Text size="sm" c="dimmed">
            {words.dropHint}
          </Text>
        )}
        <div className="actions">
          <Button leftSection={<IconFiles aria-hidden size={18} />} onClick={() => files.current?.click()}>
            {words.files}
          </Button>
          <Button variant="default" leftSection={<IconFolder aria-hidden size={18} />} onClick={() => folder.current?.click()}>
            {words.folder}
          </Button>
        </div>
        <input ref={files} type="file" multiple hidden data-testid="files" onChange={take} />
        <input ref={folder} type="file" hidden data-testid="folder" onChange={take} {...{ webkitdirectory: '' }} />
      </div>
    </section>
  );
}
