/** Virtualises a long table: renders the rows in view, plus the focused row and its neighbours, so that keyboard navigation
 * continues from there. */
import { defaultRangeExtractor, useWindowVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useRef, useState, type FocusEvent } from 'react';

const PLAIN_ROWS = 100; // shorter tables are rendered in full
const ROW_PIXELS = 41; // estimate until a row is measured
const OVERSCAN_ROWS = 15;

export interface RowPlace {
  index: number;
  measure: (row: HTMLTableRowElement | null) => void;
}

/** `parts` are the rendered rows and the gaps between them, or undefined for a short table. Rows are identified by `data-id`. */
export function useRowWindow(ids: readonly number[]) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);
  const [focused, setFocused] = useState(-1); // id; not reset on blur, so that the next row is still rendered for Tab
  const long = ids.length > PLAIN_ROWS;
  // eslint-disable-next-line react-hooks/exhaustive-deps -- any render may have moved the table
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
    const found: (RowPlace | { key: string; room: number })[] = [];
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
