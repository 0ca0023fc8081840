import { Select } from '@mantine/core';
import type { Model } from '../../lib/api';
import { useWords } from '../../lib/i18n/language';
import type { Adaptation } from './adaptation';
import css from './batch.module.css';

const CHOICES = ['folder', 'all', 'off'] as const;

interface Props {
  model: Model;
  adaptation: Adaptation;
  onChoose: (adaptation: Adaptation) => void;
}

/** Selects which files are of one speaker, whom the model then adapts to; disabled if the model cannot. */
export function AdaptationPicker({ model, adaptation, onChoose }: Props) {
  const {
    batch: { adapt },
  } = useWords();
  return (
    <section className={css.adaptation} aria-label={adapt.label}>
      <Select
        label={adapt.label}
        description={model.profiles ? adapt.hint : adapt.unable(model.title)}
        disabled={!model.profiles}
        allowDeselect={false}
        value={adaptation}
        data={CHOICES.map((value) => ({ value, label: adapt.choices[value] }))}
        onChange={(value) => value && onChoose(value)}
      />
    </section>
  );
}
