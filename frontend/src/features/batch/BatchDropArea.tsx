import { Button, FileButton, Text } from '@mantine/core';
import { IconFiles, IconFolder } from '@tabler/icons-react';
import clsx from 'clsx';
import { useRef, type ComponentProps } from 'react';
import zone from '../../components/DropZone.module.css';
import layout from '../../components/layout.module.css';
import { useFileDrop } from '../../components/useFileDrop';
import { useWords } from '../../lib/i18n/language';
import css from './batch.module.css';
import { toBatchFiles, type BatchFile } from './files';

const FOLDER = { webkitdirectory: '', 'data-testid': 'folder' } as ComponentProps<'input'>;

interface Props {
  /** Smaller, once there are files. */
  compact: boolean;
  /** Takes no files, because the setup has to be corrected first. */
  blocked: boolean;
  onFiles: (files: BatchFile[]) => void;
}

/** Takes files or folders from a dialog or dropped anywhere on the page. */
export function BatchDropArea({ compact, blocked, onFiles }: Props) {
  const { batch: words } = useWords();
  const { dragging, choose, inputProps } = useFileDrop((files) => !blocked && onFiles(toBatchFiles(files)), { multiple: true });
  const reset = useRef<() => void>(null);
  const takeFolder = (files: File[]) => {
    onFiles(toBatchFiles(files));
    reset.current?.(); // allows choosing the same folder again
  };
  return (
    <section className={layout.card} aria-label={words.choose}>
      <div className={clsx(zone.dropzone, dragging && zone.active, compact ? css.compact : clsx(layout.source, zone.roomy))}>
        {!compact && <IconFiles aria-hidden size={30} stroke={1.5} />}
        <Text fw={600}>{dragging ? words.letGo : words.drop}</Text>
        {!compact && (
          <Text size="sm" c="dimmed">
            {words.dropHint}
          </Text>
        )}
        <fieldset className={clsx(layout.inputs, layout.actions, css.ways)} disabled={blocked}>
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
        </fieldset>
        <input {...inputProps} data-testid="files" />
      </div>
    </section>
  );
}
