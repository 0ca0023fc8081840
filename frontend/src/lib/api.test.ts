import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';
import { happy, limits, problem, server } from '../../tests/server';
import { analyse, tooLarge } from './api';

const clip = new File([new Uint8Array(2000)], 'clip.wav', { type: 'audio/wav' });

test('an answer comes with the time it took', async () => {
  const { prediction, milliseconds } = await analyse(clip);
  expect(prediction).toEqual(happy);
  expect(milliseconds).toBeGreaterThan(0);
});

test('the recording and the model are sent as a form', async () => {
  let type: string | null = '';
  let body = '';
  server.use(
    http.post('/upload', async ({ request }) => {
      type = request.headers.get('content-type');
      body = await request.text();
      return HttpResponse.json(happy);
    }),
  );
  await analyse(clip, { model: 'mlp' });
  expect(type).toMatch(/^multipart\/form-data/);
  expect(body).toMatch(/name="model"\s+mlp/);
  expect(body).toMatch(/name="file"; filename=/);
});

test("a problem keeps the server's code, sentence and request id", async () => {
  server.use(http.post('/upload', () => problem('audio_too_short', 422, 'The recording is 0.05 s long.')));
  await expect(analyse(clip)).rejects.toMatchObject({
    code: 'audio_too_short',
    message: 'The recording is 0.05 s long.',
    requestId: 'abc123',
  });
});

test('an answer that is no problem document, and no answer, are told apart', async () => {
  server.use(http.post('/upload', () => new HttpResponse('<h1>Bad gateway</h1>', { status: 502 })));
  await expect(analyse(clip)).rejects.toMatchObject({ code: 'server_answer' });
  server.use(http.post('/upload', () => HttpResponse.error()));
  await expect(analyse(clip)).rejects.toMatchObject({ code: 'network' });
});

test('a file beyond the limit is not sent', () => {
  expect(tooLarge(clip, limits)).toBeNull();
  expect(tooLarge(clip, { ...limits, max_upload_bytes: 2000 })).toMatchObject({ code: 'body_too_large' });
});
