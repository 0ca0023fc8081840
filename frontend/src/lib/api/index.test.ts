import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';
import { analysisOf, happy, limits, problem, server } from '../../../tests/server';
import { analyse, exportSession, predict, tooLarge } from './index';
import { owner } from './owner';

const clip = new File([new Uint8Array(2000)], 'clip.wav', { type: 'audio/wav' });

test('analyse returns the full analysis, predict only the prediction', async () => {
  expect(await analyse(clip)).toEqual(analysisOf(happy));
  expect(await predict(clip)).toEqual(happy);
});

test('the recording and the model are sent as multipart form data', async () => {
  let type: string | null = '';
  let body = '';
  server.use(
    http.post('/api/v1/analyse', async ({ request }) => {
      type = request.headers.get('content-type');
      body = await request.text();
      return HttpResponse.json(analysisOf(happy));
    }),
  );
  await analyse(clip, { model: 'mlp' });
  expect(type).toMatch(/^multipart\/form-data/);
  expect(body).toMatch(/name="model"\s+mlp/);
  expect(body).toMatch(/name="file"; filename=/);
});

test("an error carries the server's code, message and request id", async () => {
  server.use(http.post('/api/v1/analyse', () => problem('audio_too_short', 422, 'The recording is 0.05 s long.')));
  await expect(analyse(clip)).rejects.toMatchObject({
    code: 'audio_too_short',
    known: { serverMessage: 'The recording is 0.05 s long.', requestId: 'abc123', status: 422 },
  });
});

test('a response that is not a problem document is distinguished from no response', async () => {
  server.use(http.post('/api/v1/analyse', () => new HttpResponse('<h1>Bad gateway</h1>', { status: 502 })));
  await expect(analyse(clip)).rejects.toMatchObject({ code: 'server_answer' });
  server.use(http.post('/api/v1/analyse', () => HttpResponse.error()));
  await expect(analyse(clip)).rejects.toMatchObject({ code: 'network' });
});

test('tooLarge rejects a file above the upload limit', () => {
  expect(tooLarge(clip, limits)).toBeNull();
  expect(tooLarge(clip, { ...limits, max_upload_bytes: 2000 })).toMatchObject({ code: 'body_too_large' });
});

test.each([
  [`attachment; filename="clip.csv"`, 'clip.csv'],
  [`attachment; filename=clip.csv; filename*=UTF-8''Caf%C3%A9%20%E0%A4%96.csv`, 'Café ख.csv'],
  ['attachment', null],
])('an export is saved under the file name in Content-Disposition: %s', async (header, name) => {
  let sent: string | null = '';
  server.use(
    http.get('/api/v1/sessions/one/export', ({ request }) => {
      sent = `${request.headers.get('Authorization')} ${new URL(request.url).search}`;
      return new HttpResponse('file', { headers: { 'Content-Disposition': header } });
    }),
  );
  expect((await exportSession('one', 'csv')).name).toBe(name);
  expect(sent).toBe(`Bearer ${owner()} ?format=csv`);
  expect(owner()).toMatch(/^[0-9a-f]{64}$/);
});
