/** Who owns what the server keeps for this browser: a random token that never leaves it but for the server. */

const KEY = 'owner';
const TOKEN_BYTES = 32;

/** The token; made when it is first asked for. */
export function owner(): string {
  const known = localStorage.getItem(KEY);
  if (known) return known;
  const token = Array.from(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  localStorage.setItem(KEY, token);
  return token;
}
