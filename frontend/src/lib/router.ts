/** Client-side routing on the History API. The server answers every route with the page. */
import { useSyncExternalStore } from 'react';

export interface Place {
  path: string;
  query: URLSearchParams;
}

let known = '';
let place: Place = { path: '/', query: new URLSearchParams() };

/** The current location; re-renders the component when it changes, through a link or the browser's back and forward buttons. */
export function usePlace(): Place {
  return useSyncExternalStore(subscribe, here);
}

/** Navigates within the page; `replace` adds no history entry. */
export function navigate(to: string, { replace = false } = {}): void {
  if (to === window.location.pathname + window.location.search) return;
  window.history[replace ? 'replaceState' : 'pushState'](null, '', to);
  window.dispatchEvent(new PopStateEvent('popstate'));
}

function here(): Place {
  const { pathname, search } = window.location;
  if (pathname + search !== known) {
    known = pathname + search;
    place = { path: pathname, query: new URLSearchParams(search) };
  }
  return place;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  return () => window.removeEventListener('popstate', listener);
}
