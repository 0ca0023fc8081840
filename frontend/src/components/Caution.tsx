import type { Warning } from '../lib/api';
import { useWords } from '../lib/i18n/language';

/** A translated warning; results stored before warnings had codes show the server's English message. */
export function Caution({ code, serverMessage }: { code?: Warning; serverMessage: string }) {
  const { warnings } = useWords();
  const own = code && warnings[code];
  return own ?? <span lang="en">{serverMessage}</span>;
}
