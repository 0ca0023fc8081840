import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';
import { renderPage } from '../../../tests/render';
import { problem, server } from '../../../tests/server';
import type { Summary } from '../../lib/api';
import { Sessions } from './Sessions';

const summary = (id: number): Summary => ({
  ...{ id: `s${id}`, kind: 'recording', title: `take ${id}`, model: 'cnn1d', speaker: null, created: '2026-11-21T14:16:00+00:00' },
  ...{ state: 'ended', duration_seconds: 3, dominant: 'happy', confidence: 80, emotions: [] },
});

/** Sessions on the mock server, newest first. */
let stored: Summary[] = [];
/** While true, the server rejects changes. */
let broken = false;

const changing = (change: (id: string, title: string) => void) =>
  async function answer({ params, request }: { params: Record<string, unknown>; request: Request }) {
    if (broken) return problem('store_unavailable', 503, 'The database does not answer.');
    change(String(params.id), request.method === 'PATCH' ? ((await request.json()) as { title: string }).title : '');
    return new HttpResponse(null, { status: 204 });
  };

beforeEach(() => {
  stored = Array.from({ length: 31 }, (_, i) => summary(31 - i));
  broken = false;
  server.use(
    http.get('/api/v1/sessions', ({ request }) => {
      const query = new URL(request.url).searchParams;
      const offset = Number(query.get('offset'));
      return HttpResponse.json({ total: stored.length, sessions: stored.slice(offset, offset + Number(query.get('limit'))) });
    }),
    http.patch(
      '/api/v1/sessions/:id',
      changing((id, title) => (stored = stored.map((one) => (one.id === id ? { ...one, title } : one)))),
    ),
    http.delete(
      '/api/v1/sessions/:id',
      changing((id) => (stored = stored.filter((one) => one.id !== id))),
    ),
  );
});

const press = async (name: string | RegExp) => userEvent.click(await screen.findByRole('button', { name }));
const dialog = () => within(screen.getByRole('dialog'));
const count = () => screen.queryAllByRole('listitem').length;

test('deleting the only session of a page shows the previous page', async () => {
  renderPage(<Sessions exports={() => null} />);
  await press('Older');
  await waitFor(() => expect(count()).toBe(1));
  await press('Delete take 1');
  await userEvent.click(dialog().getByRole('button', { name: 'Delete' }));
  await waitFor(() => expect(count()).toBe(30));
  expect(screen.getByText('30 sessions')).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Newer' })).toBeNull();
  expect(screen.getByRole('region', { name: 'Sessions' })).toContainElement(document.activeElement as HTMLElement);
});

test('a failed rename keeps the dialog, the new name and the error, and can be retried', async () => {
  renderPage(<Sessions exports={() => null} />);
  await press('Rename take 31');
  const name = dialog().getByRole('textbox', { name: 'Name' });
  await userEvent.clear(name);
  await userEvent.type(name, 'A grey morning');
  broken = true;
  await userEvent.click(dialog().getByRole('button', { name: 'Save' }));
  expect(await dialog().findByRole('alert')).toHaveTextContent('Results cannot be stored right now');
  expect(name).toHaveValue('A grey morning');
  broken = false;
  await userEvent.click(dialog().getByRole('button', { name: 'Save' }));
  expect(await screen.findByRole('link', { name: 'A grey morning' })).toBeVisible();
  expect(screen.queryByRole('alert')).toBeNull();
  await waitFor(() => expect(screen.getByRole('button', { name: 'Rename A grey morning' })).toHaveFocus());
});

test('a failed deletion shows its error in the dialog, and reopening the dialog clears it', async () => {
  renderPage(<Sessions exports={() => null} />);
  broken = true;
  await press('Delete take 30');
  await userEvent.click(dialog().getByRole('button', { name: 'Delete' }));
  expect(await dialog().findByRole('alert')).toHaveTextContent('The database does not answer.');
  await userEvent.click(dialog().getByRole('button', { name: 'Cancel' }));
  await waitFor(() => expect(screen.queryByRole('alert')).toBeNull());
  await press('Delete take 30');
  expect(dialog().queryByRole('alert')).toBeNull();
  broken = false;
  await userEvent.click(dialog().getByRole('button', { name: 'Delete' }));
  await waitFor(() => expect(screen.queryByText('take 30')).toBeNull());
  expect(screen.getByRole('link', { name: 'take 29' })).toHaveFocus();
});

test('a live session that has not ended is not listed as silent', async () => {
  const silent = { dominant: null, confidence: null };
  stored = [
    { ...summary(2), ...silent, kind: 'live', state: 'live' },
    { ...summary(1), ...silent },
  ];
  renderPage(<Sessions exports={() => null} />);
  const [live, ended] = await screen.findAllByRole('listitem');
  expect(live).not.toHaveTextContent('No speech');
  expect(ended).toHaveTextContent('No speech');
});
