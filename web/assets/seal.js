/* Secret votes: seals a ballot on the phone, makes a trustee's key in the trustee's browser. Nothing but WebCrypto: HPKE of
   RFC 9180 with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM; what an envelope is stands in src/board/sealing.rs.
   Without WebCrypto (an old phone, or no https) the forms go on without this script: the server seals. ES2017, no modules. */
(function (root) {
  'use strict';
  var crypto = root.crypto || {}, subtle = crypto.subtle, P256 = { name: 'ECDH', namedCurve: 'P-256' };
  var TRUSTEES = ['committee', 'supervision', 'town'], ALG = 'LSE1-2of3-P256-HKDF-SHA256-AES128GCM', DEAF = 20000;

  function bytes(text) { return new TextEncoder().encode(text); }
  function join(parts) {
    var size = parts.reduce(function (n, part) { return n + part.length; }, 0), all = new Uint8Array(size), at = 0;
    parts.forEach(function (part) { all.set(part, at); at += part.length; });
    return all;
  }
  function to64(raw) {
    var plain = Array.prototype.map.call(raw, function (byte) { return String.fromCharCode(byte); }).join('');
    return btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }
  function from64(text) {
    return Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), function (letter) { return letter.charCodeAt(0); });
  }
  function uuid(text) {
    return Uint8Array.from(text.replace(/-/g, '').match(/../g), function (pair) { return parseInt(pair, 16); });
  }
  async function sha(raw) { return new Uint8Array(await subtle.digest('SHA-256', raw)); }
  async function hmac(key, data) {
    var by = await subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return new Uint8Array(await subtle.sign('HMAC', by, data));
  }
  async function aes(key, nonce, aad, plain) {
    var by = await subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
    return new Uint8Array(await subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: aad, tagLength: 128 }, by, plain));
  }

  /* RFC 9180, section 4: an empty salt is as many zeros as the hash is long */
  var NONE = new Uint8Array(0), ZEROS = new Uint8Array(32);
  var KEM = join([bytes('KEM'), Uint8Array.of(0, 0x10)]), SUITE = join([bytes('HPKE'), Uint8Array.of(0, 0x10, 0, 1, 0, 1)]);
  function extract(suite, salt, label, input) {
    return hmac(salt.length ? salt : ZEROS, join([bytes('HPKE-v1'), suite, bytes(label), input]));
  }
  async function expand(suite, key, label, info, length) {
    var told = join([Uint8Array.of(0, length), bytes('HPKE-v1'), suite, bytes(label), info, Uint8Array.of(1)]);
    return (await hmac(key, told)).slice(0, length);
  }

  async function hpke(to, info, aad, plain) {
    var pair = await subtle.generateKey(P256, true, ['deriveBits']);
    var enc = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
    var their = await subtle.importKey('raw', to, P256, false, []);
    var shared = new Uint8Array(await subtle.deriveBits({ name: 'ECDH', 'public': their }, pair.privateKey, 256));
    var secret = await extract(KEM, NONE, 'eae_prk', shared);
    secret = await expand(KEM, secret, 'shared_secret', join([enc, to]), 32);
    var context = join([Uint8Array.of(0), await extract(SUITE, NONE, 'psk_id_hash', NONE), await extract(SUITE, NONE, 'info_hash', info)]);
    secret = await extract(SUITE, secret, 'secret', NONE);
    var key = await expand(SUITE, secret, 'key', context, 16), nonce = await expand(SUITE, secret, 'base_nonce', context, 12);
    return join([enc, await aes(key, nonce, aad, plain)]);
  }

  /* The envelope, as base64url. `manifest` is its text, exactly as the server gave it. */
  async function seal(manifest, castId, choices) {
    var tally = JSON.parse(manifest).tally, parts = [0, 1, 2].map(function () { return crypto.getRandomValues(new Uint8Array(32)); });
    var key = parts[0].map(function (byte, at) { return byte ^ parts[1][at] ^ parts[2][at]; });
    var text = bytes(JSON.stringify({ c: choices })), content = new Uint8Array(tally.pad), id = uuid(castId);
    /* closed in another way than the vote asks for it would be opened by nobody, and count as invalid */
    if (tally.alg !== ALG || tally.need !== 2) throw new Error('another way');
    if (text.length + 2 > content.length) throw new Error('too long');
    content.set([text.length >> 8, text.length & 255]);
    content.set(text, 2);
    var aad = join([await sha(bytes(manifest)), id]);
    var envelope = [bytes('LSE1'), id, await sha(key), await aes(key, new Uint8Array(12), aad, content)];
    for (var place = 0; place < 3; place++) {
      var trustee = tally.trustees.filter(function (one) { return one.who === TRUSTEES[place]; })[0];
      envelope.push(await hpke(from64(trustee.key), bytes('LSB1-part ' + place), aad, join([parts[place], parts[(place + 1) % 3]])));
    }
    return to64(join(envelope));
  }

  /* A trustee's pair: the public half to be sent, the private one to be kept on paper, in groups of four. */
  async function makeKey() {
    var pair = await subtle.generateKey(P256, true, ['deriveBits']), own = await subtle.exportKey('jwk', pair.privateKey);
    var hex = Array.prototype.map.call(from64(own.d), function (byte) { return (byte + 256).toString(16).slice(1); }).join('');
    return { publicKey: to64(new Uint8Array(await subtle.exportKey('raw', pair.publicKey))), privateKey: hex.toUpperCase().match(/..../g).join('-') };
  }

  function newId() {
    var raw = crypto.getRandomValues(new Uint8Array(16));
    raw[6] = raw[6] & 15 | 64;
    raw[8] = raw[8] & 63 | 128;
    var hex = Array.prototype.map.call(raw, function (byte) { return (byte + 256).toString(16).slice(1); }).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  root.liushengSeal = { seal: seal, makeKey: makeKey, newId: newId };

  if (typeof document === 'undefined' || !subtle || !root.TextEncoder || !root.fetch) return;

  /* <form data-seal="/v1/votes/…/manifest">: choose, look once more, seal, send the envelope by the second form. */
  function ballot(form) {
    var sure = document.querySelector('[data-seal-sure]'), send = document.querySelector('[data-seal-send]');
    var problem = document.querySelector('[data-seal-problem]'), unsent = document.querySelector('[data-seal-unsent]');
    /* `ready`: sealed, and no answer came yet; sent again it is the same ballot */
    var button = sure.querySelector('[data-seal-do]'), change = sure.querySelector('[data-seal-back]'), seals = true, ready = null;
    function show(byPhone) {
      seals = byPhone;
      Array.prototype.forEach.call(document.querySelectorAll('[data-by-server]'), function (part) { part.hidden = byPhone; });
      Array.prototype.forEach.call(document.querySelectorAll('[data-by-phone]'), function (part) { part.hidden = !byPhone; });
    }
    /* looking once more, or choosing; live.js draws nothing anew under who looks, or the form that sends would be gone */
    function look(isOn) {
      form.hidden = isOn;
      sure.hidden = !isOn;
      if (isOn) sure.setAttribute('data-busy', ''); else sure.removeAttribute('data-busy');
    }
    /* while one is on its way nobody goes back and chooses another: the first would be cast under the words of the other */
    function busy(isOn) { button.disabled = change.disabled = isOn; }
    /* WebCrypto is there and cannot do it (a curve is missing, say): the server's way is open again, and says what it is */
    function byServer() {
      busy(false);
      show(false);
      look(false);
    }
    function checked() { return Array.prototype.slice.call(form.querySelectorAll('input[name=choice]:checked')); }
    show(true);
    form.addEventListener('submit', function (event) {
      var chosen = checked(), most = Number(form.getAttribute('data-most') || 1), many = form.querySelector('[data-too-many]');
      if (!seals) return;
      event.preventDefault();
      /* of options none is an abstention; of a motion one word is needed */
      if (!chosen.length && !many) return;
      if (many) many.hidden = chosen.length <= most;
      if (chosen.length > most) return;
      look(true);
      var words = chosen.map(function (one) { return one.parentNode.textContent.trim(); }).join('、');
      sure.querySelector('[data-seal-chosen]').textContent = words || form.getAttribute('data-none');
      button.focus();
    });
    change.addEventListener('click', function () {
      ready = null;
      problem.hidden = unsent.hidden = true;
      look(false);
    });
    /* Given up for good after a while: one that arrives after another was chosen would count in its place. */
    function ask(address, more) {
      var stop = window.AbortController ? new AbortController() : null;
      if (stop) more.signal = stop.signal;
      var late = new Promise(function (resolve, reject) {
        setTimeout(function () { if (stop) stop.abort(); reject(new Error('unsent')); }, DEAF);
      });
      return Promise.race([fetch(address, more), late]);
    }
    /* What was chosen, closed under an id of its own; nothing where this phone cannot do it. */
    function close() {
      var id = newId(), chosen = checked().map(function (one) { return one.value; });
      return ask(form.getAttribute('data-seal'), {}).then(function (answer) {
        if (!answer.ok) throw new Error('manifest');
        return answer.text();
      }).then(function (manifest) {
        if (form.getAttribute('data-seal').indexOf('/' + JSON.parse(manifest).poll + '/') < 0) throw new Error('of another vote');
        return seal(manifest, id, chosen).then(function (sealed) { return { id: id, sealed: sealed }; }, function () { return null; });
      });
    }
    function post() {
      send.elements.cast_id.value = ready.id;
      send.elements.sealed.value = ready.sealed;
      var body = Array.prototype.map.call(send.elements, function (one) { return one.name + '=' + encodeURIComponent(one.value); }).join('&');
      return ask(send.action, { method: 'POST', body: body, credentials: 'same-origin', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }).then(function (answer) {
        if (answer.status >= 500 || answer.status === 429 || answer.status === 408) throw new Error('unsent');
        /* what was chosen does not stay behind for the next who holds the phone and goes back */
        form.reset();
        sure.querySelector('[data-seal-chosen]').textContent = '';
        /* refused: the same once more shows the page that says why */
        if (answer.redirected) location.assign(answer.url); else send.submit();
      });
    }
    button.addEventListener('click', function () {
      busy(true);
      problem.hidden = unsent.hidden = true;
      (ready ? Promise.resolve(ready) : close()).then(function (made) {
        ready = made;
        if (ready) return post();
        byServer();
      }).catch(function () {
        busy(false);
        (ready ? unsent : problem).hidden = false;
      });
    });
  }

  /* <form data-make-key>: a key is made here; the form can be sent only when it was written down. */
  function trustee(form) {
    var make = form.querySelector('[data-key-make]'), shown = form.querySelector('[data-key-shown]');
    form.querySelector('[data-key-none]').hidden = true;
    make.hidden = false;
    make.addEventListener('click', function () {
      makeKey().then(function (made) {
        form.elements.public_key.value = made.publicKey;
        form.querySelector('[data-key-private]').textContent = made.privateKey;
        /* made by us a moment ago: digits and hyphens */
        if (root.liushengQr) form.querySelector('[data-key-qr]').innerHTML = root.liushengQr(made.privateKey);
        var save = form.querySelector('[data-key-save]');
        save.href = URL.createObjectURL(new Blob([save.getAttribute('data-head') + '\r\n' + made.privateKey + '\r\n'], { type: 'text/plain' }));
        make.hidden = true;
        shown.hidden = false;
      });
    });
    form.querySelector('[data-key-print]').addEventListener('click', function () { window.print(); });
  }

  /* live.js draws the page anew when there is news: a form that nobody set up would send the choice in clear */
  function setUp() {
    [['form[data-seal]', ballot], ['form[data-make-key]', trustee]].forEach(function (one) {
      Array.prototype.forEach.call(document.querySelectorAll(one[0]), function (form) {
        if (form.liushengSet) return;
        form.liushengSet = true;
        one[1](form);
      });
    });
  }
  document.addEventListener('liusheng:main', setUp);
  setUp();
})(typeof self === 'undefined' ? globalThis : self);
