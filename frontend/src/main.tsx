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

const PREFETCH_TIMEOUT = 400; // ms

const queries = newQueries();

/** Prefetches the data of the first view, so that it renders once instead of once per response, which takes half the time. */
function prefetch(): Promise<unknown> {
  const requests = [queries.prefetchQuery(modelsQuery), queries.prefetchQuery(limitsQuery), queries.prefetchQuery(samplesQuery)];
  return Promise.race([Promise.all(requests), new Promise((resolve) => setTimeout(resolve, PREFETCH_TIMEOUT))]);
}

void Promise.all([startLanguage(), prefetch()]).then(() =>
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

// Registered after the page has loaded, so that caching does not delay it. The dev server has no build to cache.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  window.addEventListener('load', () => void navigator.serviceWorker.register('/sw.js').catch(() => {}));
}
