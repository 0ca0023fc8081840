/** The emotions' names for people; their colours are in app.css, their icons in components/EmotionIcon. */
import type { Emotion } from './api';

const NAMES: Record<Emotion, string> = {
  angry: 'Angry',
  calm: 'Calm',
  disgust: 'Disgust',
  fearful: 'Fearful',
  happy: 'Happy',
  neutral: 'Neutral',
  sad: 'Sad',
  surprised: 'Surprised',
};

export function emotionName(emotion: Emotion): string {
  return NAMES[emotion];
}

export function emotionColor(emotion: Emotion): string {
  return `var(--emotion-${emotion})`;
}

/** Emotions with their probabilities, likeliest first. */
export function ranked(probabilities: Record<string, number>): [Emotion, number][] {
  const entries = Object.entries(probabilities) as [Emotion, number][];
  return entries.sort(([, one], [, other]) => other - one);
}

/** "happy", "happy or sad", "happy, sad or angry". */
export function either(emotions: Emotion[]): string {
  const names = emotions.map((emotion) => emotionName(emotion).toLowerCase());
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
