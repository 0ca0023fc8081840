import { ActionIcon, SegmentedControl, Switch, Text } from '@mantine/core';
import {
  IconPhotoDown,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconRepeat,
  IconZoomIn,
  IconZoomOut,
  IconZoomReset,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import text from '../../components/text.module.css';
import type { Attention } from '../../lib/api';
import type { Kind } from '../../lib/audio/spectrum';
import { clock } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import css from './explorer.module.css';
import type { Axis } from './useAxis';
import { useTime, type Sound } from './useSound';

interface Props {
  /** Whether there is a recording to play. */
  playable: boolean;
  sound: Sound;
  length: number;
  axis: Axis;
  looping: boolean;
  onLoop?: () => void;
  /** Undefined without a spectrogram. */
  kind?: Kind;
  onKind: (kind: Kind) => void;
  /** The kind of attention the model provides; undefined without one. */
  attention?: Attention['kind'];
  attended: boolean;
  onAttended: (shown: boolean) => void;
  onPlay: () => void;
  onPicture: () => void;
}

/** A button for each keyboard shortcut, and the display options. */
export function Toolbar(props: Props) {
  const { explorer } = useWords();
  const { playable, sound, length, axis, looping, onLoop, kind, onKind, attention, attended, onAttended, onPlay, onPicture } = props;
  const kinds: Kind[] = ['mel', 'stft', 'chroma'];
  return (
    <div className={css.toolbar} data-testid="toolbar">
      {playable && (
        <>
          <ActionIcon
            size={44}
            radius="xl"
            disabled={!sound.wave}
            aria-label={sound.playing ? explorer.pause : explorer.play}
            onClick={onPlay}
          >
            {sound.playing ? <IconPlayerPauseFilled aria-hidden size={20} /> : <IconPlayerPlayFilled aria-hidden size={20} />}
          </ActionIcon>
          <Clock sound={sound} length={length} />
        </>
      )}
      <div className={css.tools}>
        <Tool label={explorer.zoomOut} onClick={() => axis.zoom(2)}>
          <IconZoomOut aria-hidden size={18} />
        </Tool>
        <Tool label={explorer.zoomIn} onClick={() => axis.zoom(0.5)}>
          <IconZoomIn aria-hidden size={18} />
        </Tool>
        <Tool label={explorer.fit} onClick={axis.fit}>
          <IconZoomReset aria-hidden size={18} />
        </Tool>
        {onLoop && sound.wave && (
          <Tool label={explorer.loop} pressed={looping} onClick={onLoop}>
            <IconRepeat aria-hidden size={18} />
          </Tool>
        )}
        <Tool label={explorer.picture} onClick={onPicture}>
          <IconPhotoDown aria-hidden size={18} />
        </Tool>
      </div>
      {kind && (
        <SegmentedControl
          size="xs"
          aria-label={explorer.spectrogram}
          value={kind}
          onChange={(value) => onKind(value)}
          data={kinds.map((value) => ({ value, label: explorer.kinds[value] }))}
        />
      )}
      {attention && (
        <Switch
          size="sm"
          label={explorer.attention[attention]}
          checked={attended}
          onChange={({ currentTarget }) => onAttended(currentTarget.checked)}
        />
      )}
    </div>
  );
}

function Clock({ sound, length }: { sound: Sound; length: number }) {
  const time = useTime(sound.wave);
  return (
    <Text size="sm" className={text.numbers} dir="ltr" data-testid="clock">
      {clock(time)} / {clock(length)}
    </Text>
  );
}

interface ToolProps {
  label: string;
  pressed?: boolean;
  onClick: () => void;
  children: ReactNode;
}

function Tool({ label, pressed, onClick, children }: ToolProps) {
  return (
    <ActionIcon
      variant={pressed ? 'filled' : 'default'}
      size="lg"
      aria-label={label}
      aria-pressed={pressed}
      title={label}
      onClick={onClick}
    >
      {children}
    </ActionIcon>
  );
}
