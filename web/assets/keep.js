/* Keeps what is written for the village on this phone until it was sent: one draft a person, for seven days, with files of 10 MiB
   in all. What was meant to be sent while there was no network goes off by itself, with the key of its first try: the server makes
   one voice of however many tries. Everything works without it. Stands before the scripts of files. ES2017, no modules.
   <form><input name="client_id"> <div data-keep="whose" hidden data-kept...>  tick [data-keep-choice], [data-keep-discard]
   <p data-keep-says hidden>        of the same form: says how it stands, beside its button, where it is seen
   <form data-answered>             shows what the server has just answered: the draft does not fill it in
   <... data-offline="write" hidden>  on the page of worker.js, which is nobody's: where one can write, "door" elsewhere, or "nobody"
   <a data-keep-left="whose" hidden>  shown where there is a draft;   <form data-forget="whose">  sending it forgets the draft */
(function () {
  'use strict';
  var MOST = 10485760, LONGEST = 7 * 86400000, AGAIN = 30000, DEAF = 60000, DRAFT = 'liusheng-draft-', NOT = 'liusheng-unkept-';
  var store, form, box, person, key, choice, says, discard, draft, waiting, tried, doubted, sending, isLarge, timer, files = 0;
  try { store = window.localStorage; store.getItem(NOT); } catch (e) { return; }
  if (!store || !window.fetch || !window.Promise || !window.FormData) return;

  function each(list, what) { Array.prototype.forEach.call(list, what); }

  function read(whose) {
    try { var kept = JSON.parse(store.getItem(DRAFT + whose)); } catch (e) { return null; }
    return kept && Math.abs(Date.now() - kept.at) < LONGEST ? kept : null;
  }

  /* one transaction over the files of everybody; what `work` answers, or nothing where it failed */
  function inFiles(work) {
    return new Promise(function (resolve) {
      var opening = window.indexedDB.open('liusheng', 1), answer;
      opening.onupgradeneeded = function () { opening.result.createObjectStore('files'); };
      opening.onerror = opening.onblocked = function () { resolve(); };
      opening.onsuccess = function () {
        var base = opening.result, at = base.transaction('files', 'readwrite');
        at.oncomplete = function () { base.close(); resolve(answer); };
        at.onabort = function () { base.close(); resolve(); };
        work(at.objectStore('files'), function (value) { answer = value; });
      };
    }).catch(function () { /* no such store in this browser */ });
  }

  /* nobody waits for a store that does not answer: the next opening sweeps what is left */
  function forget(whose) {
    store.removeItem(DRAFT + whose);
    return Promise.race([
      inFiles(function (all) { all.delete(whose); }),
      new Promise(function (resolve) { setTimeout(resolve, 2000); })
    ]);
  }

  function sweep() {
    Object.keys(store).forEach(function (name) {
      if (name.indexOf(DRAFT) === 0 && !read(name.slice(DRAFT.length))) store.removeItem(name);
    });
    inFiles(function (all) {
      all.openCursor().onsuccess = function (event) {
        var at = event.target.result;
        if (!at) return;
        if (!store.getItem(DRAFT + at.key)) at.delete();
        at.continue();
      };
    });
  }

  function chosen() {
    var found = [];
    each(form.querySelectorAll('input[type=file]'), function (input) {
      each(input.liushengClip ? [input.liushengClip] : input.files, function (file) {
        found.push({ field: input.name, name: file.name, type: file.type, seconds: input.getAttribute('data-seconds'), file: file });
      });
    });
    return found;
  }

  function write() {
    var other = read(person), fields = [], isAny = files > 0 || chosen().length > 0;
    /* what waits on another page of this person is not written over */
    if (other && other.waiting && other.key !== key.value) { draft = null; return; }
    each(form.elements, function (one) {
      if (!one.name || !one.value || /hidden|file|submit/.test(one.type)) return;
      if (/^text/.test(one.type)) isAny = true;
      if (!/radio|checkbox/.test(one.type) || one.checked) fields.push([one.name, one.value]);
    });
    if (!choice.checked || !isAny) {
      if (draft) forget(person);
      draft = null;
      discard.hidden = true;
      return;
    }
    /* tries do not prolong it: for a day more than it is tried the server knows the key */
    draft = { at: waiting && draft && draft.waiting ? draft.at : Date.now(), key: key.value, fields: fields, files: files, waiting: waiting };
    try { store.setItem(DRAFT + person, JSON.stringify(draft)); } catch (e) { draft = null; }
    discard.hidden = !draft;
  }

  function writeFiles() {
    var found = chosen(), size = found.reduce(function (sum, one) { return sum + one.file.size; }, 0);
    files = found.length;
    write();
    if (!draft) return;
    inFiles(function (all, answer) {
      all.openCursor().onsuccess = function (event) {
        var at = event.target.result;
        if (at) { if (at.key !== person) size += at.value.size; at.continue(); return; }
        if (!files || size > MOST) all.delete(person); else all.put({ size: size, found: found }, person);
        answer(!files || size <= MOST);
      };
    }).then(function (isKept) {
      isLarge = !isKept;
      if (draft) say(isLarge ? 'large' : '');
    });
  }

  function say(word) {
    says.textContent = word ? box.getAttribute('data-' + word) || '' : '';
    says.hidden = !says.textContent;
  }

  function edited() {
    /* it does not go off by itself any more */
    if (waiting) say('');
    waiting = tried = false;
    clearTimeout(timer);
    write();
  }

  function restore() {
    key.value = draft.key;
    waiting = tried = draft.waiting;
    files = draft.files;
    discard.hidden = false;
    /* what this page cannot show goes along: whom a complaint is about, where there is no network */
    draft.fields.forEach(function (pair) {
      if (form.elements[pair[0]]) return;
      var one = document.createElement('select');
      one.name = pair[0];
      one.hidden = true;
      one.appendChild(new Option('', pair[1], true, true));
      form.appendChild(one);
    });
    each(form.elements, function (one) {
      var values = draft.fields.filter(function (pair) { return pair[0] === one.name; }).map(function (pair) { return pair[1]; });
      if (/radio|checkbox/.test(one.type)) { if (values.length) one.checked = values.indexOf(one.value) >= 0; }
      else if (values.length && !/hidden|file/.test(one.type)) one.value = values[0];
    });
    say('found');
    if (!files) { press(); return; }
    inFiles(function (all, answer) {
      all.get(person).onsuccess = function (event) { answer(event.target.result && event.target.result.found); };
    }).then(putBack).catch(function () { return false; }).then(function (isWhole) {
      if (isWhole) { press(); return; }
      edited();
      say('lost');
    });
  }

  function putBack(found) {
    if (!found || found.length !== files) return false;
    each(form.querySelectorAll('input[type=file]'), function (input) {
      var carrier = new DataTransfer();
      found.forEach(function (one) {
        if (one.field !== input.name) return;
        carrier.items.add(new File([one.file], one.name, { type: one.type }));
        if (!one.seconds) return;
        input.liushengClip = new Blob([one.file], { type: one.type });
        input.liushengClip.name = one.name;
        input.setAttribute('data-seconds', one.seconds);
      });
      input.files = carrier.files;
    });
    document.dispatchEvent(new Event('liusheng:restored'));
    return true;
  }

  function press() {
    clearTimeout(timer);
    if (!waiting || sending) return;
    timer = setTimeout(press, AGAIN);
    /* files on their way, or a clip that is being recorded */
    if (document.hidden || navigator.onLine === false || form.hasAttribute('data-busy') || form.querySelector('[data-busy]')) return;
    form.querySelector('button:not([type=button])').click();
  }

  function failed() {
    sending = false;
    /* what was changed meanwhile is another try */
    tried = waiting;
    say(!draft || !waiting ? 'unkept' : isLarge ? 'large' : 'kept');
    clearTimeout(timer);
    timer = setTimeout(press, AGAIN);
  }

  function send(isLong) {
    var data = new FormData(form), options = { method: 'POST', body: data, credentials: 'same-origin', headers: { Accept: 'text/html' } };
    /* not the first try: what is there already under this key is this */
    if (tried && !doubted) { data.append('again', '1'); data.append('anyway', '1'); }
    if (window.AbortController && !isLong) {
      var breaker = new window.AbortController(), deaf = setTimeout(function () { breaker.abort(); }, DEAF);
      options.signal = breaker.signal;
    }
    sending = true;
    say('sending');
    fetch(form.action, options).then(function (answer) {
      clearTimeout(deaf);
      if (answer.status >= 500 || answer.status === 429 || answer.status === 408) { failed(); return; }
      sending = false;
      if (!answer.redirected) {
        /* refused, or asked back: nothing was done, and the same once more shows the page that says why */
        waiting = false;
        write();
        form.submit();
        return;
      }
      var isThere = new URL(answer.url).pathname.indexOf('/suggestions') === 0;
      if (isThere) waiting = false;
      return (isThere ? forget(person) : Promise.resolve()).then(function () { location.assign(answer.url); });
    }).catch(failed);
  }

  /* for when there is no network: the page, and whose it is. The server takes that away with every log-in and log-out */
  function prepare(whose) {
    document.cookie = 'ls_writer=' + whose + '; Path=/; SameSite=Lax; Max-Age=' + LONGEST / 1000 +
      (location.protocol === 'https:' ? '; Secure' : '');
    if (navigator.serviceWorker) navigator.serviceWorker.register('/worker.js').catch(function () { /* then without */ });
  }

  /* this is the page for when there is no network: who was logged in here last, and a key that nothing had yet */
  function takeUp() {
    var last = /(?:^|; )ls_writer=([\w-]+)/.exec(document.cookie);
    var state = !last ? 'nobody' : location.pathname === form.getAttribute('action') ? 'write' : 'door';
    each(document.querySelectorAll('[data-offline]'), function (one) { one.hidden = one.getAttribute('data-offline') !== state; });
    if (/(?:^|; )elder=1/.test(document.cookie)) document.body.classList.add('elder');
    if (state !== 'write') return '';
    form.querySelector('[name=writer]').value = last[1];
    form.querySelector('[name=client_id]').value =
      Array.prototype.join.call(window.crypto.getRandomValues(new Uint32Array(4)), '-');
    return last[1];
  }

  function setUp() {
    var left = document.querySelector('[data-keep-left]');
    if (left) left.hidden = !read(left.getAttribute('data-keep-left'));
    if (left) prepare(left.getAttribute('data-keep-left'));
    box = document.querySelector('[data-keep]');
    if (!box || box.closest('form') === form) return;
    form = box.closest('form');
    person = box.getAttribute('data-keep');
    if (person) prepare(person); else person = takeUp();
    if (!person) return;
    key = form.querySelector('[name=client_id]');
    choice = box.querySelector('[data-keep-choice]');
    says = form.querySelector('[data-keep-says]');
    discard = box.querySelector('[data-keep-discard]');
    choice.checked = !store.getItem(NOT + person);
    choice.addEventListener('change', function () {
      if (choice.checked) { store.removeItem(NOT + person); writeFiles(); return; }
      store.setItem(NOT + person, '1');
      write();
      say(waiting ? 'unkept' : '');
    });
    discard.addEventListener('click', function () {
      if (!window.confirm(box.getAttribute('data-sure'))) return;
      forget(person).then(function () { location.assign(form.action); });
    });
    box.hidden = false;
    draft = read(person);
    if (!form.hasAttribute('data-answered')) { if (draft) restore(); return; }
    files = draft ? draft.files : 0;
    write();
  }

  document.addEventListener('submit', function (event) {
    var one = event.target, whose = one.getAttribute('data-forget'), found;
    function stop() { event.preventDefault(); event.stopImmediatePropagation(); }
    if (whose) {
      stop();
      forget(whose).then(function () { one.submit(); });
      return;
    }
    if (one !== form) return;
    if (sending) { stop(); return; }
    waiting = true;
    write();
    if (navigator.onLine === false) { stop(); failed(); return; }
    found = chosen();
    /* files go before their form, and a clip that its field cannot hold by the recorder's own way */
    if (found.length && !form.hasAttribute('data-resumed')) return;
    if (found.some(function (file) { return !form.querySelector('input[name="' + file.field + '"]').files.length; })) return;
    stop();
    send(found.length);
  }, true);
  ['input', 'change'].forEach(function (name) {
    document.addEventListener(name, function (event) {
      if (!form || !form.contains(event.target) || event.target === choice) return;
      edited();
      if (event.target.type !== 'file') return;
      /* after the photos were made small */
      setTimeout(function () { Promise.resolve(event.target.liushengWork).then(writeFiles); });
    });
  });
  document.addEventListener('liusheng:clip', function () { if (form) { edited(); writeFiles(); } });
  document.addEventListener('liusheng:main', setUp);
  document.addEventListener('visibilitychange', press);
  window.addEventListener('online', press);
  window.addEventListener('storage', function (event) {
    if (!form || event.key !== DRAFT + person || event.newValue) return;
    doubted = true;
    waiting = false;
    draft = null;
    say('elsewhere');
  });
  sweep();
  /* by then the scripts of files are there */
  document.addEventListener('DOMContentLoaded', setUp);
})();
