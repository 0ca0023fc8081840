import { Kbd, RangeSlider, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import clsx from 'clsx';
import { useCallback, useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { DataTable } from '../../components/DataTable';
import layout from '../../components/layout.module.css';
import type { Analysis, Mark } from '../../lib/api';
import { CLOSEST_SECONDS, ticks, share, type View } from '../../lib/audio/axis';
import type { Kind, Picture } from '../../lib/audio/spectrum';
import { certainty, clock, duration, number } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import { Attention } from './Attention';
import { EmotionTrack } from './EmotionTrack';
import css from './explorer.module.css';
import { action, belongsToControl, SHORTCUTS } from './keys';
import { levelTable } from './levels';
import { Cursor, LoopRegion, Playhead } from './Overlays';
import { savePicture } from './picture';
import { SegmentDetail } from './SegmentDetail';
import { segmentAt, segmentName } from './segments';
import { Spectrogram } from './Spectrogram';
import { Toolbar } from './Toolbar';
import { useAxis, type Axis } from './useAxis';
import { usePointer } from './usePointer';
import { useSound, type Sound } from './useSound';

interface Props {
  analysis: Analysis;
  /** The recording, if this browser has it. */
  file?: File;
  marks: Mark[];
}

/** The result over time: emotions, waveform and spectrogram on one time axis with one playhead. */
export function Explorer({ analysis, file, marks }: Props) {
  const { explorer } = useWords();
  const { prediction, attention } = analysis;
  const { segments, duration_seconds: length } = prediction;
  const stage = useRef<HTMLDivElement>(null);
  const { ref: room, width } = useElementSize<HTMLDivElement>();
  const axis = useAxis(length, stage);
  const { view } = axis;
  const holder = useRef<HTMLDivElement>(null);
  const sound = useSound(file, holder);
  const [selected, setSelected] = useState(-1);
  const [looping, setLooping] = useState(-1);
  const [kind, setKind] = useState<Kind>('mel');
  const [attended, setAttended] = useState(false);
  const playable = file !== undefined && !sound.failed;
  const weights = attended ? attention : null; // stored with the result, so available without the recording
  const computed = useRef<{ picture: Picture; view: View } | null>(null);

  useFollowPlayback(sound.wave, axis, width, segments[looping]);
  const seek = useCallback((seconds: number) => sound.wave?.setTime(Math.max(0, Math.min(seconds, length))), [sound.wave, length]);
  const select = useCallback(
    (index: number) => {
      const segment = segments[index];
      if (!segment) return;
      setSelected(index);
      axis.reveal(segment.start);
      if (!sound.playing) seek(segment.start);
    },
    [segments, axis, seek, sound.playing],
  );
  const pointer = usePointer(axis, stage, (seconds) => {
    seek(seconds);
    setSelected(segmentAt(segments, seconds));
  });
  const hovered = pointer.seconds === null ? -1 : segmentAt(segments, pointer.seconds);
  const chosen = () => (selected >= 0 ? selected : Math.max(0, segmentAt(segments, sound.wave?.getCurrentTime() ?? 0)));
  const loop = () => setLooping((now) => (now >= 0 ? -1 : chosen()));
  const play = () => void sound.wave?.playPause();

  const onKeyDown = (event: KeyboardEvent) => {
    const command = action(event);
    if (!command || belongsToControl(event.key, event.target)) return;
    event.preventDefault();
    const now = sound.wave?.getCurrentTime() ?? 0;
    if (command.do === 'play') play();
    if (command.do === 'skip') skip(now + command.seconds);
    if (command.do === 'seek') skip(command.share * length);
    if (command.do === 'zoom') axis.zoom(command.factor, now >= view.from && now <= view.to ? now : undefined);
    if (command.do === 'fit') axis.fit();
    if (command.do === 'loop') loop();
    if (command.do === 'segment') select(Math.max(0, Math.min(segments.length - 1, selected + command.step)));
  };
  const skip = (seconds: number) => {
    seek(seconds);
    axis.reveal(Math.max(0, Math.min(seconds, length)));
  };
  const onPicture = useCallback((picture: Picture, at: View) => {
    computed.current = { picture, view: at };
  }, []);

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- shortcuts for the whole chart; each has a button, too
    <section className={clsx(layout.card, css.explorer)} aria-label={explorer.label} onKeyDown={onKeyDown}>
      <Toolbar
        playable={playable}
        sound={sound}
        length={length}
        axis={axis}
        looping={looping >= 0}
        onLoop={segments.length ? loop : undefined}
        kind={sound.samples ? kind : undefined}
        onKind={setKind}
        attention={attention?.kind}
        attended={attended}
        onAttended={setAttended}
        onPlay={play}
        onPicture={() => void savePicture({ prediction, view, samples: sound.samples, spectrogram: computed.current })}
      />
      {/* time runs from left to right in every language */}
      <div dir="ltr" className={css.stageRoom} ref={room}>
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- takes the shortcuts above */}
        <div className={css.stage} ref={stage} role="group" aria-label={explorer.stage} tabIndex={0} {...pointer.handlers}>
          <Ruler view={view} width={width} />
          <EmotionTrack segments={segments} length={length} view={view} selected={selected} onSelect={select} />
          {(playable || weights) && (
            <div className={css.waveTrack} data-testid="wave-track">
              {playable && <div ref={holder} aria-hidden />}
              {weights && <Attention attention={weights} view={view} />}
            </div>
          )}
          {sound.samples && <Spectrogram samples={sound.samples} view={view} kind={kind} onPicture={onPicture} />}
          <LoopRegion view={view} segment={segments[looping]} />
          <Marks view={view} marks={marks} />
          {pointer.seconds !== null && <Cursor view={view} seconds={pointer.seconds} />}
          <Playhead view={view} wave={sound.wave} />
        </div>
        {view.to - view.from < length - 0.01 && <Overview axis={axis} length={length} />}
      </div>
      {weights && (
        <Text size="sm" c="dimmed">
          {explorer.attentionMeaning[weights.kind]}
        </Text>
      )}
      {sound.failed && <Text size="sm">{explorer.undecodable}</Text>}
      {!file && <Text size="sm">{explorer.noAudio}</Text>}
      <Help />
      <SegmentDetail prediction={prediction} index={hovered >= 0 ? hovered : selected} wave={sound.wave} />
      <div className={layout.tables}>
        {segments.length > 0 && (
          <DataTable
            caption={explorer.overTime}
            head={explorer.columns}
            rows={() => segments.map((one) => [duration(one.start), duration(one.end), segmentName(one), certainty(one.confidence)])}
          />
        )}
        {sound.samples && (
          <DataTable caption={`${explorer.spectrogram} (${explorer.kinds[kind]})`} {...levelTable(sound.samples, view, kind)} />
        )}
        {attention && (
          <DataTable
            caption={explorer.attention[attention.kind]}
            head={explorer.attentionColumns}
            rows={() =>
              attention.weight.map((weight, i) => [number(attention.start[i]!, 2), number(attention.end[i]!, 2), number(weight, 3)])
            }
          />
        )}
      </div>
    </section>
  );
}

/** Scrolls the waveform with the view, and moves the view with playback or restarts the loop. */
function useFollowPlayback(wave: Sound['wave'], { view, reveal }: Axis, width: number, loop?: { start: number; end: number }) {
  useEffect(() => {
    if (!wave || !width) return;
    wave.zoom(width / (view.to - view.from));
    wave.setScrollTime(view.from);
  }, [wave, width, view]);
  useEffect(() => {
    if (!wave) return;
    if (loop) wave.setTime(loop.start);
    return wave.on('timeupdate', (seconds) => {
      if (loop && (seconds >= loop.end || seconds < loop.start - 0.1) && wave.isPlaying()) wave.setTime(loop.start);
      else if (wave.isPlaying()) reveal(seconds);
    });
  }, [wave, loop, reveal]);
}

function Ruler({ view, width }: { view: View; width: number }) {
  const span = view.to - view.from;
  return (
    <div className={css.ruler} aria-hidden>
      {ticks(view, Math.max(3, width / 80)).map((seconds) => (
        <span key={seconds} style={{ left: `${100 * share(view, seconds)}%` }}>
          {span < 10 ? number(seconds, span < 1 ? 2 : 1) : clock(seconds)}
        </span>
      ))}
    </div>
  );
}

function Marks({ view, marks }: { view: View; marks: Mark[] }) {
  return marks.map(({ at, note }, i) => {
    const x = share(view, at);
    return x < 0 || x > 1 ? null : (
      <span key={i} className={css.mark} data-testid="mark" style={{ left: `${100 * x}%` }} title={`${clock(at)} ${note}`} />
    );
  });
}

function Overview({ axis, length }: { axis: Axis; length: number }) {
  const { explorer } = useWords();
  return (
    <RangeSlider
      className={css.overview}
      size="sm"
      min={0}
      max={length}
      step={0.05}
      minRange={CLOSEST_SECONDS}
      label={null}
      thumbFromLabel={explorer.viewFrom}
      thumbToLabel={explorer.viewTo}
      value={[axis.view.from, axis.view.to]}
      onChange={([from, to]) => axis.setView({ from, to })}
    />
  );
}

function Help() {
  const { explorer } = useWords();
  return (
    <p className={css.keys}>
      {explorer.keysIntro}{' '}
      {SHORTCUTS.map(([name, keys]) => (
        <span key={name}>
          {keys.map((key) => (
            <Kbd key={key} size="xs">
              {key === 'Space' ? explorer.space : key}
            </Kbd>
          ))}{' '}
          {explorer.keys[name]}
        </span>
      ))}
    </p>
  );
}
