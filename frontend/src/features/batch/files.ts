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

/** A drop says with `path` where in its folder a file was, a choice with `webkitRelativePath`. */
type Given = File & { path?: string };

/** What to try of the files, each with its path from the folder that was given. */
export function found(files: Given[]): Found[] {
  return files
    .map((file) => ({ file, path: (file.path ?? (file.webkitRelativePath || file.name)).replace(/^\.?\//, '') }))
    .filter(({ file, path }) => !path.includes('/') || looksLikeAudio(file.name));
}
