import { MultiSelect } from '@mantine/core';
import text from '../../components/text.module.css';
import { emotionName } from '../../lib/emotions';
import { useWords } from '../../lib/i18n/language';
import css from './ModelPicker.module.css';
import type { EmotionChoice } from './useEmotions';

/** Selects the emotions that answers are chosen from: all of the model, or two and more. */
export function EmotionPicker({ choice: { available, picked, pick, valid } }: { choice: EmotionChoice }) {
  const { choice } = useWords();
  if (available.length < 3) return null;
  return (
    <section className={css.emotions} aria-label={choice.label}>
      <MultiSelect
        label={choice.label}
        description={choice.hint}
        placeholder={picked.length ? undefined : choice.all}
        maxDropdownHeight={320} // room for all emotions
        classNames={{ error: text.complaint }}
        clearable
        clearButtonProps={{ 'aria-label': choice.clear }}
        value={picked}
        data={available.map((emotion) => ({ value: emotion, label: emotionName(emotion) }))}
        error={!valid && choice.tooFew}
        onChange={(names) => pick(available.filter((emotion) => names.includes(emotion)))}
      />
    </section>
  );
}
