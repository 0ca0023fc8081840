import { Table, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronRight, IconTable } from '@tabler/icons-react';
import { useId } from 'react';
import { useWords } from '../lib/i18n/language';
import css from './DataTable.module.css';
import text from './text.module.css';

interface Props {
  caption: string;
  head: string[];
  /** Called only when the table is open. */
  rows: () => string[][];
}

/** Collapsible table of the data behind a chart: its accessible alternative. */
export function DataTable({ caption, head, rows }: Props) {
  const { table } = useWords();
  const [open, { toggle }] = useDisclosure(false);
  const id = useId();
  return (
    <div className={css.dataTable} data-testid="data-table" data-scrolls>
      <UnstyledButton className={css.disclosure} aria-expanded={open} aria-controls={id} onClick={toggle}>
        <IconChevronRight aria-hidden size={14} className={open ? css.turned : undefined} />
        <IconTable aria-hidden size={16} />
        {table.show(caption)}
      </UnstyledButton>
      <div id={id} hidden={!open}>
        {open && (
          <Table.ScrollContainer
            minWidth={head.length * 90}
            maxHeight={320}
            scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': caption } }}
          >
            <Table striped withTableBorder fz="sm" className={text.numbers}>
              <Table.Caption>{caption}</Table.Caption>
              <Table.Thead>
                <Table.Tr>
                  {head.map((name) => (
                    <Table.Th key={name} scope="col">
                      {name}
                    </Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rows().map((row, i) => (
                  <Table.Tr key={i}>
                    {row.map((cell, j) => (
                      <Table.Td key={j}>{cell}</Table.Td>
                    ))}
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </div>
    </div>
  );
}
