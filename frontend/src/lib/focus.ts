/** Keeps keyboard focus in place when the focused control is removed or disabled. */
import { useEffect, useRef, useState, type FocusEvent } from 'react';

const FOCUSABLE = 'a[href], button:not(:disabled), input:not([hidden], :disabled), [tabindex]';

/** The focused element and its ancestors, each with its index among its siblings. */
type Place = { element: Element; index: number }[];

/** Handlers for a container of such controls. When the focused one is gone, focus moves to the control now in its place,
 * otherwise to the previous one, otherwise to the nearest. */
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
      place.current = currentTarget.contains(target) ? placeOf(target) : []; // events of dialogs and menus bubble through portals
    },
    onBlur: () => {
      place.current = []; // React fires no blur event for elements that it removes
    },
  };
}

/** Returns focus to where it was, or nearby, when a dialog closes. */
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
