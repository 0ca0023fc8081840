/** Which rows of a long table are drawn: those in view, and the one with the focus with its neighbours, so that the keyboard
 * goes on from where it is. */
import { defaultRangeExtractor, useWindowVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useRef, useState, type FocusEvent } from 'react';

const PLAIN_ROWS = 100; // up to so many are all drawn
const ROW_PIXELS = 41; // until a row was measured
const OVERSCAN_ROWS = 15;

export interface Place {
  index: number;
  measure: (row: HTMLTableRowElement | null) => void;
}

/** Rows and the room between them, in order; undefined where every row is drawn. Rows are known by `data-id`. */
export function useRowWindow(ids: readonly number[]) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);
  const [focused, setFocused] = useState(-1); // or was last; what a row loses with Tab, the next one has yet to get
  const long = ids.length > PLAIN_ROWS;
  // eslint-disable-next-line react-hooks/exhaustive-deps -- whatever is drawn anew may have moved the table
  useLayoutEffect(() => setTop(body.current ? body.current.getBoundingClientRect().top + window.scrollY : 0));
  const virtual = useWindowVirtualizer<HTMLTableRowElement>({
    count: ids.length,
    enabled: long,
    estimateSize: () => ROW_PIXELS,
    getItemKey: (index) => ids[index]!,
    overscan: OVERSCAN_ROWS,
    scrollMargin: top,
    rangeExtractor: (range) => {
      const at = ids.indexOf(focused);
      const held = at < 0 ? [] : [at - 1, at, at + 1].filter((index) => index in ids);
      return [...new Set([...defaultRangeExtractor(range), ...held])].sort((one, other) => one - other);
    },
  });

  const partsInView = () => {
    const found: (Place | { key: string; room: number })[] = [];
    let end = 0;
    for (const { index, start, size } of virtual.getVirtualItems()) {
      if (start - top > end) found.push({ key: `before ${index}`, room: start - top - end });
      found.push({ index, measure: virtual.measureElement });
      end = start - top + size;
    }
    const rest = virtual.getTotalSize() - end;
    return rest > 0 ? [...found, { key: 'rest', room: rest }] : found;
  };

  return {
    body,
    parts: long ? partsInView() : undefined,
    onFocus: ({ target }: FocusEvent) => setFocused(Number(target.closest('tr')?.dataset.id)),
  };
}
