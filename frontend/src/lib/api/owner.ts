/** The owner token: a random secret that identifies this browser's stored results and profiles to the server. */
import { remember, remembered } from '../storage';

const KEY = 'owner';
const TOKEN_BYTES = 32;

/** Whether a token exists; without one the server stores nothing for this browser. */
export function hasOwner(): boolean {
  return remembered(KEY) !== null;
}

/** Returns the token, creating it on first use. */
export function owner(): string {
  const known = remembered(KEY);
  if (known) return known;
  const token = Array.from(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  remember(KEY, token);
  return token;
}
