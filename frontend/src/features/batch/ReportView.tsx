import { Table, Text, Title } from '@mantine/core';
import clsx from 'clsx';
import layout from '../../components/layout.module.css';
import prose from '../../components/prose.module.css';
import text from '../../components/text.module.css';
import { emotionName } from '../../lib/emotions';
import { number, percentage } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import css from './batch.module.css';
import { NO_SPEECH, type PredictedClass, type Report } from './scores';
import type { Comparison } from './table';

interface Props {
  comparison: Comparison;
  /** Titles of the models that gave the results. */
  titles: string[];
  unknown: string[];
}

/** Evaluation against the labels: overall measures, confusion matrix and measures per emotion. */
export function ReportView({ comparison, titles, unknown }: Props) {
  const { batch: words } = useWords();
  const { report, adapted, unlabelled, ambiguous, outside } = comparison;
  const models = titles.join(', ');
  return (
    <section className={clsx(layout.card, prose.prose)} aria-label={words.report}>
      <Title order={3}>{words.report}</Title>
      {!report && <p>{words.noPairs}</p>}
      {report && (
        <>
          <dl className={prose.figures}>
            <Figure name={words.ua} value={report.ua} />
            <Figure name={words.wa} value={report.wa} />
            <Figure name={words.f1} value={report.f1} />
          </dl>
          <p>
            {titles.length > 1 ? words.mixed(models) : words.answeredBy(models)} {words.reportText(report.total)}
            {adapted > 0 && ` ${words.adapted(adapted, report.total)}`}
          </p>
          <Matrix report={report} />
          <Classes report={report} />
        </>
      )}
      <Text size="sm" c="dimmed">
        {unlabelled > 0 && `${words.unlabelled(unlabelled)} `}
        {ambiguous > 0 && `${words.ambiguous(ambiguous)} `}
        {outside > 0 && `${words.outside(outside)} `}
        {unknown.length > 0 && words.unknownWords(unknown.slice(0, 8).join(', '))}
      </Text>
    </section>
  );
}

function Figure({ name, value }: { name: string; value: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={text.numbers}>{percentage(100 * value, 1)}</dd>
    </div>
  );
}

function Matrix({ report: { labels, predictions, matrix } }: { report: Report }) {
  const { batch: words, noSpeech } = useWords();
  const name = (predicted: PredictedClass) => (predicted === NO_SPEECH ? noSpeech : emotionName(predicted));
  return (
    <Table.ScrollContainer
      minWidth={120 + predictions.length * 84}
      scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': words.matrix } }}
    >
      <Table className={clsx(css.matrix, text.numbers)} fz="sm" withTableBorder withColumnBorders>
        <Table.Caption>{words.matrix}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{words.labelled}</Table.Th>
            {predictions.map((predicted) => (
              <Table.Th key={predicted} scope="col">
                {name(predicted)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {labels.map((label, i) => {
            const support = matrix[i]!.reduce((sum, count) => sum + count, 0);
            return (
              <Table.Tr key={label}>
                <Table.Th scope="row">{emotionName(label)}</Table.Th>
                {predictions.map((predicted, j) => {
                  const count = matrix[i]![j]!;
                  return (
                    <Table.Td
                      key={predicted}
                      className={predicted === label ? css.right : undefined}
                      style={{ '--share': count / support }}
                    >
                      {number(count)}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Classes({ report: { rows } }: { report: Report }) {
  const { batch: words } = useWords();
  return (
    <Table.ScrollContainer minWidth={480} scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': words.byEmotion } }}>
      <Table className={text.numbers} fz="sm" withTableBorder>
        <Table.Caption>{words.byEmotion}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            {words.classColumns.map((column) => (
              <Table.Th key={column} scope="col">
                {column}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ emotion, precision, recall, f1, support }) => (
            <Table.Tr key={emotion}>
              <Table.Th scope="row">{emotionName(emotion)}</Table.Th>
              <Table.Td>{precision === null ? '–' : percentage(100 * precision, 1)}</Table.Td>
              <Table.Td>{percentage(100 * recall, 1)}</Table.Td>
              <Table.Td>{percentage(100 * f1, 1)}</Table.Td>
              <Table.Td>{number(support)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
