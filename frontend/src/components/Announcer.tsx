import { useSyncExternalStore } from 'react';
import { announcements, subscribe } from '../lib/announce';
import text from './text.module.css';

/** The page's single polite live region. Always mounted, because screen readers announce only additions to an existing region. */
export function Announcer() {
  const current = useSyncExternalStore(subscribe, announcements);
  return (
    <div className={text.visuallyHidden} role="log" aria-live="polite">
      {current.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
