/** Who owns what the server keeps for this browser: a random token that never leaves it but for the server. */
import { remember, remembered } from '../storage';

const KEY = 'owner';
const TOKEN_BYTES = 32;

/** Whether there is a token yet; without one the server keeps nothing for this browser. */
export function hasOwner(): boolean {
  return remembered(KEY) !== null;
}

/** The token; made when it is first asked for. */
export function owner(): string {
  const known = remembered(KEY);
  if (known) return known;
  const token = Array.from(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  remember(KEY, token);
  return token;
}
