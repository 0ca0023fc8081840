/** What a screen reader is told of what happens: the page has one polite voice, and whatever has news speaks through it.
 * What takes the focus is read because of that, and what went wrong is an alert: neither is said here again. */
import { useEffect } from 'react';

export interface Announcement {
  id: number;
  text: string;
}

const HEARD_AFTER = 5000; // ms; what was read long ago is only in the way of whoever reads the page to its end

let said: readonly Announcement[] = [];
let last = 0;
const listeners = new Set<() => void>();

/** Says something once. Several things at once are said one after the other. */
export function announce(text: string): void {
  last += 1;
  const one = { id: last, text };
  change([...said, one]);
  setTimeout(() => change(said.filter((other) => other !== one)), HEARD_AFTER);
}

/** Says what a component shows whenever that becomes something else; nothing while there is no text. */
export function useAnnounced(text: string): void {
  useEffect(() => {
    if (text) announce(text);
  }, [text]);
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const announcements = (): readonly Announcement[] => said;

function change(to: readonly Announcement[]): void {
  said = to;
  listeners.forEach((listener) => listener());
}
