import { Anchor, Title } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, type ReactNode } from 'react';
import { Announcer } from '../components/Announcer';
import layout from '../components/layout.module.css';
import { Link } from '../components/Link';
import { useAnalysis } from '../features/analyse/useAnalysis';
import { ExportMenu } from '../features/export/ExportMenu';
import { EmotionPicker } from '../features/models/EmotionPicker';
import { useEmotions } from '../features/models/useEmotions';
import { useModels } from '../features/models/useModels';
import { useProfile } from '../features/voices/useProfile';
import { limitsQuery, type Profile } from '../lib/api';
import { useWords } from '../lib/i18n/language';
import { usePlace } from '../lib/router';
import { lasting } from '../lib/storage';
import css from './App.module.css';
import { ErrorBoundary } from './ErrorBoundary';
import { Header } from './Header';
import { lazyWithRetry } from './lazyWithRetry';
import { Notice } from './Notice';
import { AnalyseRoute } from './routes/AnalyseRoute';
import { VIEWS } from './views';

const LiveRoute = lazyWithRetry(() => import('./routes/LiveRoute').then(({ LiveRoute: route }) => route));
const BatchView = lazyWithRetry(() => import('../features/batch/Batch').then(({ Batch }) => Batch));
const SessionsView = lazyWithRetry(() => import('../features/sessions/Sessions').then(({ Sessions }) => Sessions));
const VoicesRoute = lazyWithRetry(() => import('./routes/VoicesRoute').then(({ VoicesRoute: route }) => route));
const AboutView = lazyWithRetry(() => import('../features/about/About').then(({ About }) => About));

/** The page: header, current view, footer. Holds the analysis, so that it survives switching views. */
export function App() {
  const words = useWords();
  const { path } = usePlace();
  const { data: limits } = useQuery(limitsQuery);
  const models = useModels();
  // off by default if the owner token cannot be stored, because stored results could then not be found or deleted later
  const [keep, setKeep] = useLocalStorage({ key: 'keep-results', defaultValue: lasting(), getInitialValueInEffect: false });
  const voice = useProfile(models.chosen?.name);
  const emotions = useEmotions(models.chosen);
  const analysis = useAnalysis({ limits, model: models.chosen?.name, emotions: emotions.sent, speaker: voice.speaker, keep });
  const main = useViewChange(path);
  const analyseWith = ({ model, name }: Profile) => {
    models.choose(model);
    voice.choose(name, model);
    analysis.reset();
  };

  const views: Record<string, ReactNode> = {
    '/': <AnalyseRoute {...{ analysis, limits, models, emotions, voice, keep }} onKeep={setKeep} />,
    '/live': <LiveRoute models={models} emotions={emotions} voice={voice} onOpen={analysis.openSession} />,
    '/batch': (
      <BatchView
        limits={limits}
        model={models.chosen}
        emotions={emotions.sent}
        blocked={!emotions.valid}
        setup={<EmotionPicker choice={emotions} />}
      />
    ),
    '/sessions': <SessionsView exports={({ id, title }) => <ExportMenu compact stem={title.replace(/\.\w+$/, '')} session={id} />} />,
    '/voices': <VoicesRoute limits={limits} models={models} onUse={analyseWith} />,
    '/about': <AboutView models={models.models} />,
  };
  return (
    <>
      <a className={css.skip} href="#main">
        {words.skip}
      </a>
      <Header resultAddress={analysis.address} />
      <main className={css.main} id="main" tabIndex={-1} ref={main}>
        <Notice />
        <ErrorBoundary key={path}>{views[path] ?? <NotFound />}</ErrorBoundary>
      </main>
      <footer className={css.footer}>
        <span>{words.footer}</span>
        <Anchor href="/docs" c="inherit" size="sm" underline="always">
          {words.api}
        </Anchor>
      </footer>
      <Announcer />
    </>
  );
}

/** On a change of view, updates the document title, scrolls to the top and moves focus to the main element. */
function useViewChange(path: string) {
  const { product, views } = useWords();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  const name = VIEWS.find(({ address }) => address === path)?.name;
  useEffect(() => {
    document.title = name && name !== 'analyse' ? `${views[name]} · ${product}` : product;
  }, [name, views, product]);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return main;
}

function NotFound() {
  const { lost } = useWords();
  return (
    <section className={layout.card}>
      <Title order={2}>{lost.title}</Title>
      <p>
        <Link href="/">{lost.back}</Link>
      </p>
    </section>
  );
}
