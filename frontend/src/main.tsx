import '@fontsource-variable/figtree';
import './app/mantine';
import './app/tokens.css';
import './app/global.css';
import { DirectionProvider, MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { theme } from './app/theme';
import { limitsQuery, modelsQuery, samplesQuery } from './lib/api';
import { newQueries } from './lib/api/queries';
import { startLanguage } from './lib/i18n/language';

const PATIENCE = 400; // ms

const queries = newQueries();

/** What the first view shows. It is drawn once with all of it, which takes half the time of drawing it anew for each answer. */
function firstAnswers(): Promise<unknown> {
  const answers = [queries.prefetchQuery(modelsQuery), queries.prefetchQuery(limitsQuery), queries.prefetchQuery(samplesQuery)];
  return Promise.race([Promise.all(answers), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
}

void Promise.all([startLanguage(), firstAnswers()]).then(() =>
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <DirectionProvider>
        <MantineProvider theme={theme} defaultColorScheme="auto">
          <QueryClientProvider client={queries}>
            <App />
          </QueryClientProvider>
        </MantineProvider>
      </DirectionProvider>
    </StrictMode>,
  ),
);

// Once the page is there, as what is kept would else come in its way. The dev server has no built page to keep.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  window.addEventListener('load', () => void navigator.serviceWorker.register('/sw.js').catch(() => {}));
}
