import { useWindowEvent } from '@mantine/hooks';
import { useDropzone } from 'react-dropzone';

/** Files that are chosen in a dialog or dropped anywhere on the page, those of folders included. */
export function useFileDrop(onFiles: (files: File[]) => void, { multiple }: { multiple: boolean }) {
  const { getRootProps, getInputProps, isDragGlobal, open } = useDropzone({ multiple, onDropAccepted: onFiles });
  useWindowEvent('drop', getRootProps().onDrop as unknown as (event: DragEvent) => void); // the page is the root
  return { dragging: isDragGlobal, choose: open, inputProps: { ...getInputProps(), style: undefined, hidden: true } };
}
