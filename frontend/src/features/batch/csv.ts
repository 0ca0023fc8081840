/** Reading and writing CSV (RFC 4180). */
import Papa from 'papaparse';

/** Rows of cells; commas, semicolons or tabs, whichever cut every line alike. */
export function parseCsv(text: string): string[][] {
  const transform = (cell: string) => cell.trim();
  return Papa.parse<string[]>(text, { delimitersToGuess: [',', ';', '\t'], skipEmptyLines: 'greedy', transform }).data;
}

/** Text that begins like a formula gets an apostrophe, or spreadsheets would run it. */
export function writeCsv(rows: (string | number | null)[][]): string {
  return `${Papa.unparse(rows, { newline: '\r\n', escapeFormulae: true })}\r\n`;
}
