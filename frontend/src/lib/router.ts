/** Client routes on the History API: where the page is, and going elsewhere. The server answers every route with the page. */
import { useSyncExternalStore } from 'react';

export interface Place {
  path: string;
  query: URLSearchParams;
}

let known = '';
let place: Place = { path: '/', query: new URLSearchParams() };

/** Where the page is; the component is rendered anew when that changes, by a link or by the browser's own buttons. */
export function usePlace(): Place {
  return useSyncExternalStore(subscribe, here);
}

/** Goes to an address of this page; `replace` leaves nothing to come back to. */
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
