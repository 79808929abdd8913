/* What this phone does where there is no network: the home page and the page 我要说 are then the one that it keeps, which is
   nobody's; keep.js there takes up whose phone it is, and sends. Nothing else is touched: where the network answers, pages come
   from it. The server writes KEPT above this: a name that changes with the content, the page, its files. ES2017, no modules. */
(function () {
  'use strict';
  var PATIENCE = 8000, DOORS = ['/', '/speak'];

  /* without a cookie, so that nothing of a person can be in it */
  function take(kept, address) {
    return fetch(address, { credentials: 'omit' }).then(function (answer) {
      /* somebody else answers, or another version of the server */
      if (!answer.ok || !/immutable/.test(answer.headers.get('Cache-Control'))) throw new Error(address);
      return kept.put(address, answer);
    });
  }

  self.addEventListener('install', function (event) {
    self.skipWaiting();
    event.waitUntil(caches.open(KEPT.name).then(function (kept) {
      return Promise.all(KEPT.files.concat(KEPT.page).map(function (address) { return take(kept, address); }));
    }));
  });

  self.addEventListener('activate', function (event) {
    event.waitUntil(caches.keys().then(function (names) {
      return Promise.all(names.map(function (name) { return name === KEPT.name || caches.delete(name); }));
    }));
  });

  self.addEventListener('fetch', function (event) {
    var asked = event.request, path = new URL(asked.url).pathname;
    if (asked.method !== 'GET') return;
    if (asked.mode === 'navigate' && DOORS.indexOf(path) >= 0) {
      var coming = fetch(asked);
      event.respondWith(Promise.race([
        coming,
        new Promise(function (resolve, reject) { setTimeout(reject, PATIENCE); })
      ]).catch(function () {
        /* a phone that ran out of room has thrown it away: then a slow network is all there is */
        return caches.match(KEPT.page).then(function (page) { return page || coming; });
      }));
    } else if (KEPT.files.indexOf(path) >= 0) {
      event.respondWith(caches.match(asked).then(function (file) { return file || fetch(asked); }));
    }
  });
})();
