import { useSyncExternalStore } from 'react';
import { announcements, subscribe } from '../lib/announce';
import text from './text.module.css';

/** The only polite live region of the page. It is there from the start, as browsers announce what is added to one. */
export function Announcer() {
  const said = useSyncExternalStore(subscribe, announcements);
  return (
    <div className={text.visuallyHidden} role="log" aria-live="polite">
      {said.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
