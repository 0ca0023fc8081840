import { Button, Menu, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import text from '../../components/text.module.css';
import { asApiError, EXPORTS, exportSession, type Analysis, type ExportFormat } from '../../lib/api';
import { explain } from '../../lib/api/problems';
import { saveFile } from '../../lib/download';
import { useWords } from '../../lib/i18n/language';

interface Props {
  /** File name without extension. */
  stem: string;
  /** Id of the stored result; null if it is not stored. */
  session: string | null;
  /** A result that is not stored: JSON is saved by the page itself, all other formats store the result first. */
  unstored?: { analysis: Analysis; store: () => Promise<string> };
  compact?: boolean;
}

/** Menu that exports a result in one of the formats written by the server. */
export function ExportMenu({ stem, session, unstored, compact = false }: Props) {
  const { exports } = useWords();
  const [problem, setProblem] = useState('');
  const save = async (format: ExportFormat) => {
    setProblem('');
    try {
      if (!session && unstored && format === 'json') {
        return saveFile(JSON.stringify(unstored.analysis, null, 2), `${stem}.json`, 'application/json');
      }
      const { blob, name } = await exportSession(session ?? (await unstored!.store()), format);
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
