/** Keyboard shortcuts of the chart. */

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

/** The list under the chart; its texts are in `explorer.keys`. */
export const SHORTCUTS = [
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

const SCROLL_KEYS = [' ', 'ArrowLeft', 'ArrowRight', 'Home', 'End'];

/** Whether the focused control handles the key itself, such as a button the space bar, or a scrollable table the arrows. */
export function belongsToControl(key: string, target: EventTarget): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('input, textarea, select, [role="slider"], [role="radio"], [role="menu"]')) return true;
  if (SCROLL_KEYS.includes(key) && target.closest('[data-scrolls]')) return true;
  return (key === ' ' || key === 'Enter') && target.closest('button, a, [role="switch"]') !== null;
}
