/** Formats numbers, times and lists in the page's language. */
import { locale, words } from './language';

/** 1234.5 with 1 digit -> "1,234.5" in English, "1234,5" in Spanish */
export function number(value: number, digits = 0): string {
  return value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** 83.4 -> "1:23" */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A unit symbol in the page's language: "s", "से" */
function unit(name: 'second' | 'minute'): string {
  const unitDisplay = name === 'minute' ? 'short' : 'narrow'; // narrow minutes read "m", short seconds "sec"
  const parts = new Intl.NumberFormat(locale(), { style: 'unit', unit: name, unitDisplay }).formatToParts(1);
  return parts.find(({ type }) => type === 'unit')!.value;
}

/** 3.62 -> "3.6 s", 83 -> "1:23 min" */
export function duration(seconds: number): string {
  return seconds < 60 ? `${number(seconds, 1)} ${unit('second')}` : `${clock(seconds)} ${unit('minute')}`;
}

/** An amount of speech in seconds: 24.3 -> "24 s", 4.26 -> "4.3 s", 83 -> "1:23 min" */
export function amount(seconds: number): string {
  const whole = Math.round(seconds);
  return seconds < 10 || whole >= 60 ? duration(seconds) : `${number(whole)} ${unit('second')}`;
}

/** 84132 -> "83 KiB", 1300000 -> "1.2 MiB" */
export function size(bytes: number): string {
  const { kibibytes, mebibytes } = words().units;
  return bytes < 2 ** 20 ? kibibytes(number(Math.ceil(bytes / 2 ** 10))) : mebibytes(number(bytes / 2 ** 20, 1));
}

/** A processing time in ms: 412 -> "0.41 s", 1540 -> "1.5 s" */
export function elapsed(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return seconds < 1 ? `${number(seconds, 2)} ${unit('second')}` : duration(seconds);
}

/** A share as a percentage: 0.1234 -> "12%"; a positive share below 1% is shown as "< 1%", never as 0. */
export function percent(share: number): string {
  return share > 0 && share < 0.01 ? `< ${percentage(1)}` : percentage(100 * share);
}

const SUREST = 99;

/** A probability in percent: 87.3 -> "87%"; never shown as 100%, nor as 0% unless it is 0. */
export function certainty(value: number): string {
  return value > SUREST ? `> ${percentage(SUREST)}` : percent(value / 100);
}

/** Expected number of correct results out of 100 with this confidence. */
export function ofHundred(confidence: number): string {
  return number(Math.min(SUREST, confidence));
}

/** 55.12 with 1 digit -> "55.1%" in English, "55,1 %" in Spanish */
export function percentage(value: number, digits = 0): string {
  return (value / 100).toLocaleString(locale(), { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** ["happy", "sad", "angry"] -> "happy, sad or angry" */
export function either(names: string[]): string {
  return new Intl.ListFormat(locale(), { type: 'disjunction' }).format(names);
}

/** An ISO time -> "21 Nov 2026, 14:16" */
export function when(iso: string): string {
  return new Date(iso).toLocaleString(locale(), { dateStyle: 'medium', timeStyle: 'short' });
}
