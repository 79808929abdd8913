/* Keeps a page fresh over the Centrifuge JSON protocol v2. The socket only says that something happened; what is shown comes
   from the server's page, so a lost frame costs seconds and never shows anything untrue. ES2017, no modules.
   <main data-live>                     fetch this page's main again after any publication
   data-live-stream="s:7"               ... only after one in this channel
   data-live-heads='{"s:7":120}'        offsets known when the page was made; other ones at the first connect mean: fetch
   data-live-news='["s:9"]'             channels whose news this page shows and this phone has not said to have received
   data-live-text="..."                 words of the bar shown while the reader types, listens or records
   data-live-typing="..."               words shown behind a name while somebody else writes in the one stream of this page */
(function () {
  'use strict';
  var main = document.querySelector('main[data-live]');
  if (!main || !window.WebSocket || !window.fetch || !window.DOMParser) return;
  var root = document.documentElement;
  var MIN_WAIT = 500, MAX_WAIT = 20000, HEALTHY = 30000, AWAY = 5000, DEBOUNCE = 300, SPREAD = 700, TRY_AGAIN = 5000, PING_GRACE = 10000;
  var TYPING_AGAIN = 3000, SAY_AFTER = 2000, SAY_AGAIN = 5000, SAID_AT_ONCE = 8;
  var socket = null, tries = 0, retry = 0, silence = 0, health = 0, away = 0, commands = 0, positions = {};
  var asked = {}, received = {}, saying = 0, said = 0;
  var greeted = false, connected = false, stopped = false, pingMs = 0, hiddenAt = 0;
  var pending = 0, fetching = false, again = false, bar = null, typed = 0, typing = null, typingEnds = 0;
  try { var heads = JSON.parse(main.getAttribute('data-live-heads') || '{}'); } catch (e) { heads = {}; }
  Object.keys(heads).forEach(function (channel) { positions[channel] = { offset: heads[channel] }; });
  try { var news = JSON.parse(main.getAttribute('data-live-news') || '[]'); } catch (e) { news = []; }

  /* ---- the socket ---- */
  function state(on) { root.dataset.live = on ? 'on' : 'off'; }

  function connect() {
    clearTimeout(retry);
    if (stopped || socket || document.hidden) return;
    var ws;
    try {
      ws = new WebSocket(location.protocol.replace('http', 'ws') + '//' + location.host + '/connection/websocket');
    } catch (e) { return later(); }
    socket = ws;
    listen(PING_GRACE);
    ws.onopen = function () {
      var subs = {};
      Object.keys(positions).forEach(function (channel) {
        var at = positions[channel];
        if (at.epoch !== undefined) subs[channel] = { recover: true, epoch: at.epoch, offset: at.offset };
      });
      ws.send(JSON.stringify({ id: ++commands, connect: { name: 'liusheng-web', data: { v: 1 }, subs: subs } }));
    };
    ws.onmessage = function (event) {
      if (socket !== ws) return;
      if (pingMs) listen(pingMs + PING_GRACE);
      String(event.data).split('\n').forEach(function (line) {
        if (!line) return;
        var frame;
        try { frame = JSON.parse(line); } catch (e) { return; }
        if (!Object.keys(frame).length) ws.send('{}');
        else if (frame.connect) welcomed(frame.connect);
        else if (frame.subscribe) { if (subscribed(asked[frame.id], frame.subscribe, false)) soon(); }
        else if (frame.push) pushed(frame.push);
        else if (frame.error && !connected) { stopped = !frame.error.temporary; ws.close(); }
      });
    };
    ws.onclose = function (event) {
      if (socket !== ws) return;
      /* by the protocol these codes mean: do not come back */
      if ((event.code >= 3500 && event.code < 4000) || (event.code >= 4500 && event.code < 5000)) stopped = true;
      drop();
      later();
    };
  }

  /* forgets the socket at once: one that the network swallowed may take minutes to say that it closed */
  function drop() {
    clearTimeout(silence);
    clearTimeout(health);
    var ws = socket;
    socket = null;
    connected = false;
    state(false);
    if (ws && ws.readyState < 2) ws.close(1000);
  }

  function later() {
    if (stopped || document.hidden) return;
    clearTimeout(retry);
    /* anywhere within a time that doubles: thousands come back after a restart */
    var most = Math.min(MAX_WAIT, MIN_WAIT * Math.pow(2, ++tries));
    retry = setTimeout(connect, MIN_WAIT + Math.random() * (most - MIN_WAIT));
  }

  function listen(ms) {
    clearTimeout(silence);
    silence = setTimeout(function () { drop(); later(); }, ms);
  }

  function welcomed(reply) {
    var first = !greeted, subs = reply.subs || {}, moved = false;
    greeted = connected = true;
    /* a server that lets in and throws out at once is not healthy */
    health = setTimeout(function () { tries = 0; }, HEALTHY);
    pingMs = (reply.ping || 0) * 1000;
    clearTimeout(silence);
    if (pingMs) listen(pingMs + PING_GRACE);
    Object.keys(subs).forEach(function (channel) { if (subscribed(channel, subs[channel], first)) moved = true; });
    /* what the page shows and is on nobody's list: a discussion that one only looks into */
    asked = {};
    Object.keys(heads).slice(0, 4).forEach(function (channel) {
      if (subs[channel]) return;
      asked[++commands] = channel;
      socket.send(JSON.stringify({ id: commands, subscribe: { channel: channel } }));
    });
    news.forEach(function (channel) { if (subs[channel]) has(channel, subs[channel].offset); });
    state(true);
    if (moved) soon();
  }

  /* Whether the channel has moved since the page was made. One never heard of has, unless this is the first time. */
  function subscribed(channel, sub, first) {
    var had = positions[channel], offset = sub.offset || 0;
    each(sub.publications || [], function (pub) { gone(channel, pub.data); });
    positions[channel] = { epoch: sub.epoch || '', offset: offset };
    if (!concerns(channel)) return false;
    if (!had) return !first;
    return had.offset !== offset || (had.epoch !== undefined && had.epoch !== (sub.epoch || '')) ||
      (sub.was_recovering === true && sub.recovered !== true);
  }

  function pushed(push) {
    if (push.subscribe) {
      if (subscribed(push.channel, push.subscribe, false)) soon();
    } else if (push.unsubscribe) {
      delete positions[push.channel];
      if (concerns(push.channel)) soon();
    } else if (push.pub) {
      var at = positions[push.channel];
      if (at && push.pub.offset) at.offset = push.pub.offset;
      has(push.channel, push.pub.offset);
      gone(push.channel, push.pub.data);
      if (concerns(push.channel)) soon(0, push.pub.data && push.pub.data.jitter_ms);
    } else if (push.message && push.message.data && push.message.data.heads) {
      told(push.message.data);
    } else if (push.message && push.message.data && push.message.data.k === 'typing') {
      writes(push.message.data);
    } else if (push.disconnect) {
      if (push.disconnect.code >= 3500 && push.disconnect.code < 4000) stopped = true;
      drop();
      later();
    }
  }

  /* Where the channels stand: with the heartbeat, because nobody misses the newest frame; or in the place of what the server
     threw away because we were too slow to take it. */
  function told(data) {
    var moved = data.k === 'resync';
    Object.keys(data.heads).forEach(function (channel) {
      var at = positions[channel], head = data.heads[channel];
      if (!at || (at.offset === head[1] && at.epoch === head[0])) return;
      positions[channel] = { epoch: head[0], offset: head[1] };
      if (concerns(channel)) moved = true;
    });
    if (moved) soon();
  }

  /* This phone has it, so nobody need be called by SMS for it. Said together, a few at a time and not all the time, and not put
     off by what follows: a lively channel would hide what waits to be said of others. It is no receipt of reading. */
  function has(channel, offset) {
    if (!offset || document.hidden) return;
    received[channel] = offset;
    if (!saying) saying = setTimeout(say, Math.max(SAY_AFTER, said + SAY_AGAIN - Date.now()));
  }

  function say() {
    var all = Object.keys(received);
    saying = 0;
    if (stopped) return;
    if (connected) {
      said = Date.now();
      all.splice(0, SAID_AT_ONCE).forEach(function (one) {
        var data = { stream_id: one.slice(2), seq: received[one] };
        delete received[one];
        socket.send(JSON.stringify({ id: ++commands, rpc: { method: 'received', data: data } }));
      });
    }
    if (all.length) saying = setTimeout(say, SAY_AGAIN);
  }

  function concerns(channel) {
    var only = main.getAttribute('data-live-stream');
    return !only || only === channel;
  }

  /* ---- the page ---- */
  /* Not put off by what follows, or a lively channel would never be shown. A page that watches more than one conversation
     waits a little longer, each its own time: everybody in the county is told of a notice at once. */
  function soon(ms, jitter) {
    if (pending) return;
    var spread = jitter > 0 ? Math.random() * jitter : main.hasAttribute('data-live-stream') ? 0 : Math.random() * SPREAD;
    pending = setTimeout(function () { pending = 0; refresh(false); }, (ms || DEBOUNCE) + spread);
  }

  function each(list, what) { Array.prototype.forEach.call(list, what); }

  function fields(within) { return within.querySelectorAll('input:not([type=hidden]), textarea, select'); }

  function isChanged(field) {
    if (field.type === 'checkbox' || field.type === 'radio') return field.checked !== field.defaultChecked;
    if (field.type === 'file') return (field.files && field.files.length > 0) || field.hasAttribute('data-seconds');
    if (field.tagName !== 'SELECT') return field.value !== field.defaultValue;
    var preset = false, changed = false;
    each(field.options, function (option) { if (option.defaultSelected) preset = true; });
    each(field.options, function (option, index) {
      if (preset ? option.selected !== option.defaultSelected : option.selected && index > 0) changed = true;
    });
    return changed;
  }

  function isBusy() {
    var active = document.activeElement, busy = false;
    if (active && main.contains(active) && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName)) return true;
    if (main.querySelector('[data-busy], dialog[open]')) return true;
    each(main.querySelectorAll('audio'), function (audio) { if (!audio.paused) busy = true; });
    each(fields(main), function (field) { if (isChanged(field)) busy = true; });
    return busy;
  }

  function refresh(wanted) {
    if (document.hidden && !wanted) return;
    if (wanted ? main.querySelector('[data-busy]') : isBusy()) return offer();
    if (fetching) { again = true; return; }
    fetching = true;
    fetch(location.href, { headers: { 'x-fragment': 'main' }, credentials: 'same-origin', cache: 'no-cache' })
      .then(function (answer) {
        if (answer.status >= 500) throw answer;
        /* signed out, or not ours to see any more: the whole page says so better than a piece of it */
        if (answer.redirected || !answer.ok) { if (wanted || !isBusy()) location.reload(); return null; }
        return answer.text();
      })
      .then(function (html) {
        fetching = false;
        if (html !== null && !wanted && isBusy()) offer();
        else if (html !== null) show(html);
        if (again) soon();
        again = false;
      })
      .catch(function () { fetching = false; soon(TRY_AGAIN); });
  }

  function offer() {
    var words = main.getAttribute('data-live-text');
    if (!words || (bar && main.contains(bar))) return;
    bar = document.createElement('div');
    bar.className = 'live-bar';
    bar.setAttribute('role', 'status');
    main.insertBefore(bar, main.firstChild);
    var button = document.createElement('button');
    button.type = 'button';
    button.textContent = words;
    button.onclick = function () { refresh(true); };
    bar.appendChild(button);
  }

  function same(field, other) {
    if (field.name !== other.name || field.type !== other.type) return false;
    if ((field.type === 'radio' || field.type === 'checkbox') && field.value !== other.value) return false;
    var mine = field.form, others = other.form;
    return !mine === !others && (!mine || mine.getAttribute('action') === others.getAttribute('action'));
  }

  function mark(element) { return element && (element.id ? '#' + element.id : element.getAttribute && element.getAttribute('href')); }

  function show(html) {
    var made = new DOMParser().parseFromString(html, 'text/html'), next = made.querySelector('main') || made.body;
    var page = document.scrollingElement || root;
    var atEnd = main.hasAttribute('data-live-stream') && page.scrollHeight - page.scrollTop - window.innerHeight < 120;
    var focused = main.contains(document.activeElement) ? mark(document.activeElement) : null, folds = {}, kept = [];
    each(main.querySelectorAll('details[id]'), function (details) { folds[details.id] = details.open; });
    each(fields(main), function (field) { if (field.name && isChanged(field)) kept.push(field); });
    main.innerHTML = next.innerHTML;
    bar = null;
    quiet();
    each(main.querySelectorAll('details[id]'), function (details) { if (details.id in folds) details.open = folds[details.id]; });
    /* what somebody typed, ticked or recorded goes on: the very field is put back */
    kept.forEach(function (field) {
      var taken = false;
      each(fields(main), function (other) {
        if (taken || kept.indexOf(other) >= 0 || !same(field, other)) return;
        other.parentNode.replaceChild(field, other);
        taken = true;
      });
    });
    if (focused) {
      each(main.querySelectorAll('[id], a[href]'), function (element) {
        if (focused && mark(element) === focused) { element.focus({ preventScroll: true }); focused = null; }
      });
    }
    if (atEnd) page.scrollTop = page.scrollHeight;
    document.dispatchEvent(new Event('liusheng:main'));
  }

  /* What was taken back goes at once, with what quotes it: also from a page that is not drawn anew because its reader writes
     or listens. */
  function gone(channel, entry) {
    if (!entry || entry.kind !== 'recall') return;
    var stream = channel.slice(2), seq = Number(entry.target_seq), place = 'a[href="/streams/' + stream + '/';
    each(main.querySelectorAll(place + 'messages/' + seq + '"], ' + place + 'chains/' + seq + '"]'), function (link) {
      (link.closest('.said') || link).remove();
    });
    var answers = '[data-answers="' + stream + '/' + seq + '"]';
    each(main.querySelectorAll(answers + ' blockquote, blockquote' + answers), function (quote) { quote.remove(); });
  }

  /* ---- somebody writes ---- */
  function writes(data) {
    var words = main.getAttribute('data-live-typing');
    if (!words || !data.name || !concerns('s:' + data.s)) return;
    if (!typing || !main.contains(typing)) {
      typing = document.createElement('p');
      typing.className = 'live-typing';
      typing.setAttribute('aria-live', 'polite');
      var form = main.querySelector('form textarea');
      form = form && form.closest('form');
      if (form) form.parentNode.insertBefore(typing, form); else main.appendChild(typing);
    }
    typing.textContent = data.name + words;
    clearTimeout(typingEnds);
    typingEnds = setTimeout(quiet, (data.expires || 6) * 1000);
  }

  function quiet() {
    if (typing && typing.parentNode) typing.parentNode.removeChild(typing);
    typing = null;
  }

  document.addEventListener('input', function (event) {
    var only = main.getAttribute('data-live-stream'), now = Date.now();
    if (!only || !connected || !main.getAttribute('data-live-typing') || now - typed < TYPING_AGAIN) return;
    if (event.target.tagName !== 'TEXTAREA' || !main.contains(event.target)) return;
    typed = now;
    socket.send(JSON.stringify({ send: { data: { v: 1, k: 'typing', s: only.slice(2) } } }));
  });

  /* ---- coming back ---- */
  function back() {
    if (stopped) return;
    clearTimeout(away);
    drop();
    tries = 0;
    connect();
    soon();
  }

  /* nobody looks: phones freeze pages without closing their sockets, so it is closed before that; no timer runs on a
     frozen page, hence not later than the first thing done when it wakes */
  document.addEventListener('visibilitychange', function () {
    clearTimeout(away);
    if (document.hidden) {
      hiddenAt = Date.now();
      clearTimeout(retry);
      away = setTimeout(drop, AWAY);
    } else if (!connected || Date.now() - hiddenAt > AWAY) {
      back();
    } else {
      soon();
    }
  });
  document.addEventListener('freeze', drop);
  document.addEventListener('resume', back);
  /* whatever was open before the page was shown again: it is not trusted */
  window.addEventListener('pageshow', function (event) { if (event.persisted) back(); });
  window.addEventListener('online', back);
  window.addEventListener('offline', function () { drop(); later(); });
  /* a page with an open socket cannot be kept for the back button */
  window.addEventListener('pagehide', function () { clearTimeout(retry); drop(); });

  state(false);
  connect();
})();
