/** localStorage with a fallback to memory, which lasts until the page is closed, if storage is blocked or full. */
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

/** Whether stored values outlive the page. */
export function lasting(): boolean {
  try {
    return Boolean(localStorage);
  } catch {
    return false;
  }
}
