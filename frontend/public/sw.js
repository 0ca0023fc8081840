// Keeps the page itself, so that it opens without the server and can be installed. Only its own files are kept: what is
// sent, what the API answers and what a person uploads never come near the cache.
const CACHE = 'page-1';
const SHELL = '/';
const HASHED = '/assets/'; // the build puts a hash of the content into these names: they never change
const FILES = new Set(['/icon.svg', '/capture-worklet.js', '/manifest.webmanifest']);

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.add(SHELL)));
  self.skipWaiting();
});

self.addEventListener('activate', (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate' && !/^\/(docs|api|openapi)/.test(pathname)) event.respondWith(fresh(request, SHELL));
  else if (pathname.startsWith(HASHED)) event.respondWith(kept(request));
  else if (FILES.has(pathname)) event.respondWith(fresh(request, request));
});

/** From the server while it is there, else as it was last. */
async function fresh(request, name) {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(name, answer.clone());
    return answer;
  } catch (error) {
    const known = await cache.match(name);
    if (known) return known;
    throw error;
  }
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  const known = await cache.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}
