/** Files from a choice or a drop, folders and all that is in them included. */

export interface Found {
  file: File;
  path: string;
}

const AUDIO = /\.(wav|flac|mp3|ogg|oga|opus|m4a|mp4|aac|webm|aif|aiff|aifc)$/i;

/** Whether a file of a folder is worth trying; what was chosen by hand is tried whatever its name. */
export function looksLikeAudio(name: string): boolean {
  return AUDIO.test(name) && !name.startsWith('.');
}

export function chosen(files: FileList): Found[] {
  return [...files]
    .map((file) => ({ file, path: file.webkitRelativePath || file.name }))
    .filter(({ file, path }) => !file.webkitRelativePath || (path && looksLikeAudio(file.name)));
}

/** The entries must be taken while the event is handled; reading them may take longer. */
export async function dropped(items: DataTransferItemList): Promise<Found[]> {
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return (await Promise.all(entries.map((entry) => walk(entry, true)))).flat();
}

async function walk(entry: FileSystemEntry, byHand: boolean): Promise<Found[]> {
  if (entry.isFile) {
    if (!byHand && !looksLikeAudio(entry.name)) return [];
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, '') }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Found[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found; // a call gives at most 100
    found.push(...(await Promise.all(some.map((inner) => walk(inner, false)))).flat());
  }
}
