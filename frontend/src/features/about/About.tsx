import { Anchor, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import clsx from 'clsx';
import layout from '../../components/layout.module.css';
import prose from '../../components/prose.module.css';
import text from '../../components/text.module.css';
import { versionQuery, type Figure, type Model } from '../../lib/api';
import { emotionWord } from '../../lib/emotions';
import { number, percentage } from '../../lib/i18n/format';
import { useWords } from '../../lib/i18n/language';
import css from './about.module.css';

const LAW = 'https://eur-lex.europa.eu/eli/reg/2024/1689/oj';

/** The About view: how it works, its limits, and the accuracy of every model. */
export function About({ models }: { models: Model[] }) {
  const { about: words } = useWords();
  const { data: version } = useQuery(versionQuery);
  return (
    <>
      <div className={layout.intro}>
        <h2>{words.title}</h2>
        <p>{words.subtitle}</p>
      </div>
      <section className={clsx(layout.card, prose.prose)}>
        <Title order={3}>{words.how}</Title>
        <ol>
          {words.steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
        <Title order={3}>{words.good}</Title>
        <ul>
          {words.goodFor.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        <Title order={3}>{words.cannot}</Title>
        <ul>
          {words.cannotKnow.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        <div className={css.law}>
          <Title order={3}>{words.prohibited}</Title>
          <p>
            {words.prohibitedText}{' '}
            <Anchor inherit c="inherit" underline="always" href={LAW} rel="noreferrer" target="_blank">
              {words.law}
            </Anchor>
          </p>
        </div>
      </section>
      <section className={clsx(layout.card, prose.prose)} aria-label={words.figures}>
        <Title order={3}>{words.figures}</Title>
        <p>{words.figuresText}</p>
        <Figures models={models} />
        <Text size="sm" c="dimmed">
          {words.leakyText}
        </Text>
      </section>
      <section className={clsx(layout.card, prose.prose)}>
        <Title order={3}>{words.privacy}</Title>
        <p>{words.privacyText}</p>
        <Title order={3}>{words.built}</Title>
        <p>{words.builtText}</p>
        <Title order={3}>{words.licences}</Title>
        <p>{words.licencesText}</p>
        {version && (
          <Text size="sm" c="dimmed">
            {words.version(version.version)}
          </Text>
        )}
      </section>
    </>
  );
}

function Figures({ models }: { models: Model[] }) {
  const {
    about: words,
    model: { licence },
  } = useWords();
  return (
    <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': words.figures } }}>
      <Table className={css.modelFigures} fz="sm" verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            {words.columns.map((name) => (
              <Table.Th key={name} scope="col">
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {models.flatMap((model) => {
            const unseen = model.figures.filter((figure) => figure.speaker_independent);
            const rows: (Figure | undefined)[] = unseen.length ? unseen : [undefined];
            return rows.map((figure, row) => (
              <Table.Tr key={`${model.name} ${row}`}>
                {row === 0 && (
                  <Table.Th scope="rowgroup" rowSpan={rows.length}>
                    {model.title}
                    <Text size="xs" c="dimmed" fw={400}>
                      {model.labels.map(emotionWord).join(', ')} · {words.parameters(number(model.parameters))} ·{' '}
                      {licence(model.licence, model.commercial_use)}
                    </Text>
                  </Table.Th>
                )}
                <Table.Td>{figure ? <Measured figure={figure} /> : words.unmeasured}</Table.Td>
                <Table.Td>{figure && percentage(100 / figure.classes)}</Table.Td>
                <Table.Td>{figure && `${percentage(figure.wa, 1)} / ${percentage(figure.f1, 1)}`}</Table.Td>
                <Table.Td>{figure && speakerDependentUa(model, figure)}</Table.Td>
              </Table.Tr>
            ));
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** The same measure with test speakers who are also in the training data. */
function speakerDependentUa({ figures }: Model, { corpus, classes }: Figure): string | undefined {
  const same = figures.find((one) => !one.speaker_independent && one.corpus === corpus && one.classes === classes);
  return same && percentage(same.ua, 1);
}

function Measured({ figure }: { figure: Figure }) {
  const { about: words } = useWords();
  const { ua, ua_std: spread, interval, corpus, protocol, classes, seeds } = figure;
  return (
    <>
      <strong className={text.numbers}>{seeds > 1 ? `${number(ua, 1)} ± ${percentage(spread, 1)}` : percentage(ua, 1)}</strong>
      <Text size="xs" c="dimmed">
        {words.interval(number(interval[0], 1), number(interval[1], 1))} · {words.protocol(corpus.toUpperCase(), protocol, classes, seeds)}
      </Text>
    </>
  );
}
