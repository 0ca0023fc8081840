/** Keeps the keyboard's place: a control that vanishes when it is pressed must not take the focus with it. */
import { useEffect, useRef, useState, type FocusEvent } from 'react';

const FOCUSABLE = 'a[href], button:not(:disabled), input:not([hidden], :disabled), [tabindex]';

/** A focused element with all that it lies in, each with its index in the next. */
type Place = { element: Element; index: number }[];

/** For the element around such controls: when the one with the focus is gone, what now stands in its place gets it, else
 * what stands before it, else what is nearest. */
export function useKeptFocus() {
  const place = useRef<Place>([]);
  useEffect(() => {
    const focused = place.current[0]?.element;
    if (!focused || usable(focused)) return;
    if (document.activeElement === document.body || document.activeElement === focused) nearest(place.current)?.focus();
    else place.current = [];
  });
  return {
    onFocus: ({ target, currentTarget }: FocusEvent) => {
      place.current = currentTarget.contains(target) ? placeOf(target) : []; // events of dialogs and menus come by, too
    },
    onBlur: () => {
      place.current = []; // React says nothing of what it removes itself
    },
  };
}

/** For a dialog: once it is closed, the focus is back where it was, or nearby. */
export function useReturnedFocus() {
  const [place] = useState(() => placeOf(document.activeElement));
  useEffect(() => () => nearest(place)?.focus(), [place]);
}

function placeOf(element: Element | null): Place {
  if (!element) return [];
  const index = element.parentElement ? [...element.parentElement.children].indexOf(element) : 0;
  return [{ element, index }, ...placeOf(element.parentElement)];
}

function nearest(place: Place): HTMLElement | undefined {
  if (place[0] && usable(place[0].element)) return place[0].element as HTMLElement;
  for (const [i, { index }] of place.entries()) {
    const around = place[i + 1]?.element;
    if (!around?.isConnected) continue;
    const here = [...around.children];
    const found = [here[index], ...here.slice(0, index).reverse(), ...here.slice(index + 1)].map(focusable).find(Boolean);
    if (found) return found;
  }
  return undefined;
}

function usable(element: Element): boolean {
  return element.isConnected && !element.matches(':disabled');
}

function focusable(element: Element | undefined): HTMLElement | null {
  return element?.matches(FOCUSABLE) ? (element as HTMLElement) : (element?.querySelector<HTMLElement>(FOCUSABLE) ?? null);
}
