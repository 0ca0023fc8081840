import { Anchor, Popover, Select, Text } from '@mantine/core';
import type { Figure, Model } from '../../lib/api';

interface Props {
  models: Model[];
  chosen?: Model;
  onChoose: (name: string) => void;
}

/** Which model answers, and how good it is on people it never heard; a choice only where there is one. */
export function ModelPicker({ models, chosen, onChoose }: Props) {
  if (!chosen) return null;
  return (
    <section className="model" aria-label="Model">
      {models.length > 1 && (
        <Select
          label="Model"
          allowDeselect={false}
          value={chosen.name}
          data={models.map(({ name, title }) => ({ value: name, label: title }))}
          onChange={(name) => name && onChoose(name)}
        />
      )}
      <Text size="sm" c="dimmed" component="div">
        {models.length === 1 && <>Model: {chosen.title}. </>}
        {chosen.figure ? <Honest figure={chosen.figure} /> : 'Its accuracy on unseen speakers was not measured.'}
      </Text>
    </section>
  );
}

function Honest({ figure }: { figure: Figure }) {
  return (
    <>
      On speakers it never heard it finds {figure.ua.toFixed(0)} % of each emotion (
      <Popover width={300} position="top" withArrow>
        <Popover.Target>
          <Anchor component="button" type="button" inherit underline="always">
            what this means
          </Anchor>
        </Popover.Target>
        <Popover.Dropdown>
          <Text size="sm">
            {figure.ua.toFixed(1)} % is the unweighted average recall (UA): the share of right answers, averaged over{' '}
            {figure.classes} emotions, on {figure.corpus.toUpperCase()} with protocol {figure.protocol}, {figure.seeds}{' '}
            {figure.seeds === 1 ? 'run' : 'runs'}. Guessing gives {(100 / figure.classes).toFixed(0)} %. No voice in the test was
            in the training. Expect less on phones, in noise, on other accents and in spontaneous speech.
          </Text>
        </Popover.Dropdown>
      </Popover>
      ).
    </>
  );
}

/** The model that the page begins with: the best one on unseen speakers, else the server's default. */
export function preselected(models: Model[], standard: string): Model | undefined {
  const measured = models.filter(({ figure }) => figure?.speaker_independent);
  const best = measured.toSorted((one, other) => (other.figure?.ua ?? 0) - (one.figure?.ua ?? 0))[0];
  return best ?? models.find(({ name }) => name === standard);
}
