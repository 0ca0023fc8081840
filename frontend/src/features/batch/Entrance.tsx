import { Button, FileButton, Text } from '@mantine/core';
import { IconFiles, IconFolder } from '@tabler/icons-react';
import clsx from 'clsx';
import { useRef, type ComponentProps } from 'react';
import zone from '../../components/DropZone.module.css';
import layout from '../../components/layout.module.css';
import { useFileDrop } from '../../components/useFileDrop';
import { useWords } from '../../lib/i18n/language';
import css from './batch.module.css';
import { found, type Found } from './files';

const FOLDER = { webkitdirectory: '', 'data-testid': 'folder' } as ComponentProps<'input'>;

interface Props {
  /** Once there are files it makes room for them. */
  compact: boolean;
  onFiles: (files: Found[]) => void;
}

/** Files or a folder, by click, by keyboard, or dropped anywhere on the page. */
export function Entrance({ compact, onFiles }: Props) {
  const { batch: words } = useWords();
  const { dragging, choose, inputProps } = useFileDrop((files) => onFiles(found(files)), { multiple: true });
  const reset = useRef<() => void>(null);
  const takeFolder = (files: File[]) => {
    onFiles(found(files));
    reset.current?.(); // so that the same folder can be chosen again
  };
  return (
    <section className={layout.card} aria-label={words.choose}>
      <div className={clsx(zone.dropzone, dragging && zone.active, compact ? css.compact : clsx(layout.door, zone.roomy))}>
        {!compact && <IconFiles aria-hidden size={30} stroke={1.5} />}
        <Text fw={600}>{dragging ? words.letGo : words.drop}</Text>
        {!compact && (
          <Text size="sm" c="dimmed">
            {words.dropHint}
          </Text>
        )}
        <div className={clsx(layout.actions, css.ways)}>
          <Button leftSection={<IconFiles aria-hidden size={18} />} onClick={choose}>
            {words.files}
          </Button>
          <FileButton multiple resetRef={reset} onChange={takeFolder} inputProps={FOLDER}>
            {(props) => (
              <Button {...props} variant="default" leftSection={<IconFolder aria-hidden size={18} />}>
                {words.folder}
              </Button>
            )}
          </FileButton>
        </div>
        <input {...inputProps} data-testid="files" />
      </div>
    </section>
  );
}
