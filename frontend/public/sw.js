// Keeps the page itself, so that it opens without the server and can be installed: all files of this build when it is
// installed, nothing later. What is sent, what the API answers and what a person uploads never come near the cache.
/* global BUILD */
importScripts('/build.js'); // what this build consists of; written by vite.config.ts

const PAGE = '/';
const ELSEWHERE = /^\/(api|docs|health|metrics|openapi|predict|ready|upload)|\./; // addresses that are no view of the page

// A page that is open goes on with the files that it began with: the next worker waits until it is closed, then evicts.
self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(BUILD.cache).then((cache) => cache.addAll([PAGE, ...BUILD.hashed, ...BUILD.files])));
});

self.addEventListener('activate', (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== BUILD.cache).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (!ELSEWHERE.test(pathname)) event.respondWith(fresh(request, PAGE));
  } else if (BUILD.hashed.includes(pathname)) event.respondWith(kept(pathname).then((known) => known ?? fetch(request)));
  else if (BUILD.files.includes(pathname)) event.respondWith(fresh(request, pathname));
});

/** From the server while it is there, else as it was in this build. */
async function fresh(request, name) {
  try {
    return await fetch(request);
  } catch (error) {
    const known = await kept(name);
    if (known) return known;
    throw error;
  }
}

async function kept(name) {
  const cache = await caches.open(BUILD.cache);
  return cache.match(name);
}
