import { ActionIcon, Text } from '@mantine/core';
import { IconFileMusic, IconMicrophone, IconMoodSilence, IconPencil, IconTrash } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { EmotionIcon } from '../../components/EmotionIcon';
import { Link } from '../../components/Link';
import type { Summary } from '../../lib/api';
import { emotionName } from '../../lib/emotions';
import { certainty, duration, when } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import css from './sessions.module.css';

interface Props {
  session: Summary;
  /** The export menu. */
  exports: ReactNode;
  onRename: () => void;
  onDelete: () => void;
}

/** A session in the list; its name links to the full result. */
export function Row({ session, exports, onRename, onDelete }: Props) {
  const { sessions: words, noSpeech, result, dialog } = useWords();
  const { id, kind, title, created, state, duration_seconds: length, dominant, confidence, model, speaker } = session;
  const Kind = kind === 'live' ? IconMicrophone : IconFileMusic;
  const Sign = state === 'live' ? IconMicrophone : IconMoodSilence;
  const facts = [
    dominant ? emotionName(dominant) : state === 'ended' && noSpeech, // a live session has no result yet
    confidence !== null && certainty(confidence),
    duration(length),
    model,
    speaker && result.calibrated(speaker),
  ];
  return (
    <li className={css.session} data-testid="session">
      <span className={css.sessionSign}>
        {dominant ? <EmotionIcon emotion={dominant} size={28} /> : <Sign aria-hidden size={28} stroke={1.6} />}
      </span>
      <div className={css.sessionText}>
        <Link href={`/?session=${encodeURIComponent(id)}`} className={css.sessionName}>
          {title}
        </Link>
        <Text size="sm" c="dimmed">
          {facts.filter(Boolean).join(' · ')}
        </Text>
        <Text size="sm" c="dimmed" className={css.sessionWhen}>
          <Kind aria-hidden size={14} /> {state === 'live' ? words.unfinished : words.kinds[kind]} · {when(created)}
        </Text>
      </div>
      <div className={css.sessionActions}>
        {exports}
        <ActionIcon variant="default" size={30} aria-label={words.renameIt(title)} title={words.rename} onClick={onRename}>
          <IconPencil aria-hidden size={16} />
        </ActionIcon>
        <ActionIcon variant="default" size={30} aria-label={words.deleteIt(title)} title={dialog.delete} onClick={onDelete}>
          <IconTrash aria-hidden size={16} />
        </ActionIcon>
      </div>
    </li>
  );
}
