/** Reads and writes CSV (RFC 4180). */
import Papa from 'papaparse';

/** Parses rows of trimmed cells, detecting whether commas, semicolons or tabs separate them. */
export function parseCsv(text: string): string[][] {
  const transform = (cell: string) => cell.trim();
  return Papa.parse<string[]>(text, { delimitersToGuess: [',', ';', '\t'], skipEmptyLines: 'greedy', transform }).data;
}

/** Writes rows, escaping cells that a spreadsheet would run as a formula with an apostrophe. */
export function writeCsv(rows: (string | number | null)[][]): string {
  return `${Papa.unparse(rows, { newline: '\r\n', escapeFormulae: true })}\r\n`;
}
