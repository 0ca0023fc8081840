import { Button, Text } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import clsx from 'clsx';
import type { Limits } from '../lib/api';
import { useWords } from '../lib/i18n/language';
import css from './DropZone.module.css';
import layout from './layout.module.css';
import { useFileDrop } from './useFileDrop';

interface Props {
  limits?: Limits;
  /** Accepts several files at once. */
  multiple?: boolean;
  onFiles: (files: File[]) => void;
}

/** Takes files from a file dialog or dropped anywhere on the page. */
export function DropZone({ limits, multiple = false, onFiles }: Props) {
  const { drop } = useWords();
  const { here, letGo, choose } = multiple ? drop.several : drop;
  const { dragging, choose: open, inputProps } = useFileDrop(onFiles, { multiple });
  const accept = limits && [...limits.formats.map((format) => `.${format}`), 'audio/*'].join();
  return (
    <div className={clsx(layout.source, css.dropzone, css.roomy, dragging && css.active)}>
      <IconUpload aria-hidden size={26} stroke={1.6} />
      <Text fw={600} mt={8}>
        {dragging ? letGo : here}
      </Text>
      <Text size="sm" c="dimmed" mb="md">
        <LimitsText limits={limits} multiple={multiple} />
      </Text>
      <Button variant="default" onClick={open}>
        {choose}
      </Button>
      <input {...inputProps} data-testid="file" accept={accept} />
    </div>
  );
}

/** Supported formats and limits. */
function LimitsText({ limits, multiple }: { limits?: Limits; multiple: boolean }) {
  const { drop } = useWords();
  if (!limits) return drop.formats;
  const megabytes = Math.floor(limits.max_upload_bytes / 2 ** 20);
  return multiple ? drop.several.limits(megabytes) : drop.limits(megabytes, limits.max_audio_seconds / 60);
}
