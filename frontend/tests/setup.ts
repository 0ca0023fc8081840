import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { server } from './server';

// On a busy machine. What is only said stands on the page as well.
configure({ asyncUtilTimeout: 5000, defaultIgnore: 'script, style, [role=log] *' });

// What jsdom lacks and Mantine asks for.
window.matchMedia ??= (query) =>
  ({ matches: false, media: query, addEventListener() {}, removeEventListener() {} }) as unknown as MediaQueryList;
Element.prototype.scrollIntoView ??= () => {};
window.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
URL.createObjectURL ??= () => 'blob:nothing';
URL.revokeObjectURL ??= () => {};

configure({ asyncUtilTimeout: 5000 }); // a lazy view is compiled first, on a busy machine

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => {
  cleanup();
  server.resetHandlers();
  localStorage.clear();
});
afterAll(() => server.close());
