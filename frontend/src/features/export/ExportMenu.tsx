import { Button, Menu, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import text from '../../components/text.module.css';
import { asApiError, EXPORTS, exportSession, type Analysis, type ExportFormat } from '../../lib/api';
import { explain } from '../../lib/api/problems';
import { saveFile } from '../../lib/download';
import { useWords } from '../../lib/i18n/language';

interface Props {
  /** Name of the files, without an ending. */
  stem: string;
  /** Under which the server keeps the result; null where it does not. */
  session: string | null;
  /** For what is not kept: its JSON needs no server, everything else has it kept first. */
  unkept?: { analysis: Analysis; keep: () => Promise<string> };
  compact?: boolean;
}

/** A result as files of other programs, written by the server. */
export function ExportMenu({ stem, session, unkept, compact = false }: Props) {
  const { exports } = useWords();
  const [problem, setProblem] = useState('');
  const save = async (format: ExportFormat) => {
    setProblem('');
    try {
      if (!session && unkept && format === 'json') {
        return saveFile(JSON.stringify(unkept.analysis, null, 2), `${stem}.json`, 'application/json');
      }
      const { blob, name } = await exportSession(session ?? (await unkept!.keep()), format);
      saveFile(blob, name ?? `${stem}.${format}`);
    } catch (error) {
      const { title, detail } = explain(asApiError(error));
      setProblem(`${title}: ${detail}`);
    }
  };
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <Button
            variant="default"
            size={compact ? 'xs' : 'sm'}
            leftSection={<IconDownload aria-hidden size={16} />}
            aria-label={exports.of(stem)}
          >
            {exports.label}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {!session && <Menu.Label>{exports.kept}</Menu.Label>}
          {EXPORTS.map((format) => (
            <Menu.Item key={format} onClick={() => void save(format)}>
              {exports.formats[format]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {problem && (
        <Text size="sm" role="alert" className={text.complaint}>
          {problem}
        </Text>
      )}
    </>
  );
}
