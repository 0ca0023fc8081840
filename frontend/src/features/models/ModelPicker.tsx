import { Anchor, Popover, Select, Text } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { Figure, Model } from '../../lib/api';
import { percentage } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import css from './ModelPicker.module.css';

interface Props {
  models: Model[];
  chosen?: Model;
  onChoose: (name: string) => void;
}

/** Model selection with the accuracy on new speakers; without a select if there is only one model. */
export function ModelPicker({ models, chosen, onChoose }: Props) {
  const { model } = useWords();
  if (!chosen) return <div className={css.model} data-testid="model" />;
  return (
    <section className={css.model} data-testid="model" aria-label={model.label}>
      {models.length > 1 && (
        <Select
          label={model.label}
          allowDeselect={false}
          value={chosen.name}
          data={models.map(({ name, title }) => ({ value: name, label: title }))}
          renderOption={({ option, checked }) => (
            <Option model={models.find(({ name }) => name === option.value)!} chosen={checked ?? false} />
          )}
          onChange={(name) => name && onChoose(name)}
        />
      )}
      <Text size="sm" c="dimmed" component="div">
        {models.length === 1 && `${model.only(chosen.title)} `}
        {chosen.figure ? <Accuracy figure={chosen.figure} others={otherCorpora(chosen)} /> : model.unmeasured}
      </Text>
    </section>
  );
}

function Option({ model: { title, figure, licence, commercial_use: commercial }, chosen }: { model: Model; chosen: boolean }) {
  const { model } = useWords();
  return (
    <>
      <div className={css.modelOption}>
        <div>{title}</div>
        <Text size="xs" c="dimmed" component="div">
          {figure ? model.unseen(percentage(figure.ua, 1), figure.classes, figure.corpus.toUpperCase()) : model.unmeasured}
        </Text>
        <Text size="xs" c="dimmed" component="div">
          {model.licence(licence, commercial)}
        </Text>
      </div>
      {chosen && <IconCheck aria-hidden size={16} />}
    </>
  );
}

/** Figures of the same protocol on other corpora. */
function otherCorpora({ figure, figures }: Model): Figure[] {
  return figures.filter(({ corpus, protocol }) => protocol === figure?.protocol && corpus !== figure.corpus);
}

function Accuracy({ figure, others }: { figure: Figure; others: Figure[] }) {
  const { model } = useWords();
  const { ua, classes, corpus, protocol, seeds } = figure;
  return (
    <>
      {model.honest(percentage(ua))} (
      <Popover width={300} position="top" withArrow>
        <Popover.Target>
          <Anchor component="button" type="button" inherit c="inherit" underline="always">
            {model.meaning}
          </Anchor>
        </Popover.Target>
        <Popover.Dropdown>
          <Text size="sm">
            {model.explained(percentage(ua, 1), classes, corpus.toUpperCase(), protocol, seeds, percentage(100 / classes))}
          </Text>
          {others.map((one) => (
            <Text key={one.corpus} size="sm" mt="xs">
              {model.other(one.corpus.toUpperCase(), percentage(one.ua, 1), one.classes)}
            </Text>
          ))}
        </Popover.Dropdown>
      </Popover>
      ).
    </>
  );
}
