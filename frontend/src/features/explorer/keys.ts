/** What keys do while the chart has the focus. */

export type Action =
  | { do: 'play' }
  | { do: 'skip'; seconds: number }
  | { do: 'seek'; share: 0 | 1 }
  | { do: 'zoom'; factor: number }
  | { do: 'fit' }
  | { do: 'loop' }
  | { do: 'segment'; step: 1 | -1 };

interface Pressed {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** Shown under the chart; the words are `explorer.keys`. */
export const HELP = [
  ['play', ['Space']],
  ['skip', ['←', '→']],
  ['zoom', ['+', '−']],
  ['fit', ['0']],
  ['segment', ['[', ']']],
  ['loop', ['L']],
] as const;

export function action({ key, shiftKey, ctrlKey, metaKey, altKey }: Pressed): Action | null {
  if (ctrlKey || metaKey || altKey) return null;
  const step = shiftKey ? 5 : 1;
  switch (key) {
    case ' ':
      return { do: 'play' };
    case 'ArrowLeft':
      return { do: 'skip', seconds: -step };
    case 'ArrowRight':
      return { do: 'skip', seconds: step };
    case 'Home':
      return { do: 'seek', share: 0 };
    case 'End':
      return { do: 'seek', share: 1 };
    case '+':
    case '=':
      return { do: 'zoom', factor: 0.5 };
    case '-':
    case '−':
      return { do: 'zoom', factor: 2 };
    case '0':
      return { do: 'fit' };
    case '[':
      return { do: 'segment', step: -1 };
    case ']':
      return { do: 'segment', step: 1 };
    default:
      return key.toLowerCase() === 'l' ? { do: 'loop' } : null;
  }
}

const SCROLLING = [' ', 'ArrowLeft', 'ArrowRight', 'Home', 'End'];

/** Whether the key means something to the control that has the focus, such as the space bar to a button, or arrows to a
 * table that is wider than its place. */
export function belongsToControl(key: string, target: EventTarget): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('input, textarea, select, [role="slider"], [role="radio"], [role="menu"]')) return true;
  if (SCROLLING.includes(key) && target.closest('[data-scrolls]')) return true;
  return (key === ' ' || key === 'Enter') && target.closest('button, a, [role="switch"]') !== null;
}
