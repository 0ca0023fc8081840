/** Screen-reader announcements, collected for the page's single polite live region (components/Announcer). Elements that
 * receive focus and alerts are read out anyway, so they are not announced here. */
import { useEffect } from 'react';

export interface Announcement {
  id: number;
  text: string;
}

const CLEAR_AFTER = 5000; // ms; old announcements would get in the way of reading the page to its end

let spoken: readonly Announcement[] = [];
let last = 0;
const listeners = new Set<() => void>();

/** Announces a text once. Texts announced at the same time are read one after the other. */
export function announce(text: string): void {
  last += 1;
  const one = { id: last, text };
  change([...spoken, one]);
  setTimeout(() => change(spoken.filter((other) => other !== one)), CLEAR_AFTER);
}

/** Announces a text when it changes; an empty text is not announced. */
export function useAnnounced(text: string): void {
  useEffect(() => {
    if (text) announce(text);
  }, [text]);
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const announcements = (): readonly Announcement[] => spoken;

function change(to: readonly Announcement[]): void {
  spoken = to;
  listeners.forEach((listener) => listener());
}
