// Service worker: caches the page, so that it can be installed and opens without the server. All files of the build are
// cached on installation and nothing afterwards; requests, API responses and uploads are never cached.
/* global BUILD */
importScripts('/build.js'); // cache name and files of this build; written by vite.config.ts

const PAGE = '/';
const NOT_A_VIEW = /^\/(api|docs|health|metrics|openapi|predict|ready|upload)|\./;

// An open page keeps the files of its build: a new worker waits until the page is closed, then deletes the old cache.
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
    if (!NOT_A_VIEW.test(pathname)) event.respondWith(networkFirst(request, PAGE));
  } else if (BUILD.hashed.includes(pathname)) event.respondWith(cached(pathname).then((known) => known ?? fetch(request)));
  else if (BUILD.files.includes(pathname)) event.respondWith(networkFirst(request, pathname));
});

/** Fetches from the server, falling back to the cache. */
async function networkFirst(request, name) {
  try {
    return await fetch(request);
  } catch (error) {
    const known = await cached(name);
    if (known) return known;
    throw error;
  }
}

async function cached(name) {
  const cache = await caches.open(BUILD.cache);
  return cache.match(name);
}
