import { ActionIcon, Text } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import text from '../../components/text.module.css';
import { announce } from '../../lib/announce';
import { duration, size } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import type { Recording } from './enrollment';
import { useDuration } from './useDuration';
import css from './voices.module.css';

interface Props {
  recordings: readonly Recording[];
  onRemove: (id: number) => void;
}

/** Recordings that the speaker profile will be created from. */
export function Recordings({ recordings, onRemove }: Props) {
  const { voices: words } = useWords();
  const count = useRef<HTMLParagraphElement>(null);
  const before = useRef(recordings.length);
  useEffect(() => {
    if (recordings.length > before.current) announce(words.count(recordings.length)); // a removal moves the focus here instead
    before.current = recordings.length;
  }, [recordings, words]);
  const remove = (id: number) => {
    onRemove(id);
    count.current?.focus(); // the focused button is removed
  };
  return (
    <div className={css.recordings}>
      <Text ref={count} size="sm" fw={600} tabIndex={-1}>
        {recordings.length ? words.count(recordings.length) : words.noRecordings}
      </Text>
      {recordings.length > 0 && (
        <ul aria-label={words.recordings}>
          {recordings.map(({ id, file }) => (
            <Row key={id} file={file} onRemove={() => remove(id)} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Row({ file, onRemove }: { file: File; onRemove: () => void }) {
  const { voices: words } = useWords();
  const seconds = useDuration(file);
  return (
    <li>
      <span className={css.recordingName}>{file.name}</span>
      <Text span size="sm" c="dimmed" className={text.numbers}>
        {seconds !== undefined && `${duration(seconds)} · `}
        {size(file.size)}
      </Text>
      <ActionIcon variant="subtle" size={28} aria-label={words.removeIt(file.name)} title={words.remove} onClick={onRemove}>
        <IconX aria-hidden size={16} />
      </ActionIcon>
    </li>
  );
}
