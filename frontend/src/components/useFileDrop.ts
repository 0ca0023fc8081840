import { useWindowEvent } from '@mantine/hooks';
import { useDropzone } from 'react-dropzone';

/** Files from a file dialog or dropped anywhere on the page, including the contents of dropped folders. */
export function useFileDrop(onFiles: (files: File[]) => void, { multiple }: { multiple: boolean }) {
  const { getRootProps, getInputProps, isDragGlobal, open } = useDropzone({ multiple, onDropAccepted: onFiles });
  useWindowEvent('drop', getRootProps().onDrop as unknown as (event: DragEvent) => void); // accepts drops on the whole page
  return { dragging: isDragGlobal, choose: open, inputProps: { ...getInputProps(), style: undefined, hidden: true } };
}
