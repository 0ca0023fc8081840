/** Files chosen or dropped for a batch, including the contents of folders. */
export interface BatchFile {
  file: File;
  path: string;
}

const AUDIO = /\.(wav|flac|mp3|ogg|oga|opus|m4a|mp4|aac|webm|aif|aiff|aifc)$/i;

/** Whether a file in a folder has an audio extension; individually chosen files are accepted whatever their name. */
export function looksLikeAudio(name: string): boolean {
  return AUDIO.test(name) && !name.startsWith('.');
}

/** A dropped file has its path within the folder in `path`, a chosen one in `webkitRelativePath`. */
type FileWithPath = File & { path?: string };

/** The files to analyse, with their paths relative to the chosen folder. */
export function toBatchFiles(files: FileWithPath[]): BatchFile[] {
  return files
    .map((file) => ({ file, path: (file.path ?? (file.webkitRelativePath || file.name)).replace(/^\.?\//, '') }))
    .filter(({ file, path }) => !path.includes('/') || looksLikeAudio(file.name));
}
