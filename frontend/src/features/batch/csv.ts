/** Reading and writing CSV (RFC 4180). */

/** Rows of cells; commas, semicolons or tabs, whichever the first line has most of. */
export function parseCsv(text: string): string[][] {
  const clean = text.replace(/^\uFEFF/, '');
  const separator = separatorOf(clean.split(/\r?\n/, 1)[0] ?? '');
  const rows: string[][] = [];
  const row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < clean.length; i += 1) {
    const letter = clean[i]!;
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (clean[i + 1] === '"') cell += clean[(i += 1)];
      else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === separator || letter === '\n') {
      row.push(cell.trim());
      cell = '';
      if (letter === '\n') rows.push(row.splice(0));
    } else if (letter !== '\r') cell += letter;
  }
  row.push(cell.trim());
  return [...rows, row].filter((cells) => cells.some(Boolean));
}

export function writeCsv(rows: (string | number | null)[][]): string {
  return rows.map((row) => `${row.map(written).join(',')}\r\n`).join('');
}

function separatorOf(line: string): string {
  const count = (letter: string) => line.split(letter).length;
  return [',', ';', '\t'].toSorted((one, other) => count(other) - count(one))[0]!;
}

/** Text that begins like a formula gets an apostrophe, or spreadsheets would run it. */
function written(cell: string | number | null): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const harmless = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
