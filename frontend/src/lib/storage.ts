/** What the browser remembers for this page. Where it may not, as site data can be blocked, it is remembered until the page is left. */
const memory = new Map<string, string>();

export function remembered(key: string): string | null {
  try {
    return memory.get(key) ?? localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
    memory.delete(key);
  } catch {
    memory.set(key, value);
  }
}

/** Whether anything is remembered for longer than the page is open. */
export function lasting(): boolean {
  try {
    return Boolean(localStorage);
  } catch {
    return false;
  }
}
