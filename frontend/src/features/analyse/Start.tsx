import { Switch } from '@mantine/core';
import type { ReactNode } from 'react';
import { DropZone } from '../../components/DropZone';
import layout from '../../components/layout.module.css';
import type { Limits } from '../../lib/api';
import { useWords } from '../../lib/i18n/language';
import { Samples } from './Samples';
import type { Analyses } from './useAnalysis';

interface Props {
  analysis: Analyses;
  limits?: Limits;
  keep: boolean;
  onKeep: (keep: boolean) => void;
  recorder: ReactNode;
  /** Whether the setup has to be corrected before anything is analysed. */
  blocked: boolean;
  /** Model, emotion and speaker profile pickers. */
  setup: ReactNode;
}

/** Start page: record, upload or pick a sample. */
export function Start({ analysis, limits, keep, onKeep, recorder, blocked, setup }: Props) {
  const { start } = useWords();
  return (
    <>
      <div className={layout.intro}>
        <h2>{start.title}</h2>
        <p>{start.subtitle}</p>
      </div>
      <section className={layout.card} aria-label={start.choose}>
        <fieldset className={layout.inputs} disabled={blocked}>
          <div className={layout.sources}>
            {recorder}
            <DropZone limits={limits} onFiles={([file]) => file && !blocked && analysis.analyseFile(file)} />
          </div>
          <Samples onSample={analysis.analyseSample} />
        </fieldset>
        <Switch mt="lg" size="sm" checked={keep} label={start.keep} onChange={({ currentTarget }) => onKeep(currentTarget.checked)} />
      </section>
      {setup}
    </>
  );
}
