/* Records a voice clip into a form's file field: hold the button and speak, or tap once to begin and once to end. Everything
   works without it: the part marked data-speak is hidden until this script finds a recorder. ES2017, no modules.
   <div class="speak" data-speak="voice" hidden data-start data-stop data-short data-denied data-failed data-seconds>  words, {n} = seconds
     <button type="button" class="mic" data-speak-mic>...<span data-speak-words></span></button>
     <p data-speak-done hidden><a class="voice" data-listen data-speak-play></a> <button data-speak-again></button></p>
     <p data-speak-problem role="alert" hidden></p>
   </div>
   <div data-speak-file><input type="file" name="voice" accept="audio/*"></div>   in the same form */
(function () {
  'use strict';
  var MAX = 58000, SHORTEST = 1000, HOLD = 500, TWITCH = 400;
  /* iOS plays no WebM before 18.4: what every phone can play comes first */
  var TYPES = ['audio/mp4;codecs=mp4a.40.2', 'audio/mp4', 'audio/webm;codecs=opus', 'audio/webm', 'audio/ogg;codecs=opus'];
  var devices = navigator.mediaDevices;
  if (!window.MediaRecorder || !devices || !devices.getUserMedia || !window.FormData || !window.Promise) return;
  var type = TYPES.filter(function (one) { return MediaRecorder.isTypeSupported && MediaRecorder.isTypeSupported(one); })[0];
  if (!type) return;

  function setUp(box) {
    var form = box.closest('form'), name = box.getAttribute('data-speak') || 'voice';
    var input = form && form.querySelector('input[type=file][name="' + name + '"]');
    if (!input || box.hasAttribute('data-ready')) return;
    box.setAttribute('data-ready', '');
    var mic = box.querySelector('[data-speak-mic]'), words = box.querySelector('[data-speak-words]');
    var done = box.querySelector('[data-speak-done]'), listen = box.querySelector('[data-speak-play]');
    var problem = box.querySelector('[data-speak-problem]'), plain = form.querySelector('[data-speak-file]') || input;
    var recorder = null, starting = false, holding = false, beganAt = 0, pressedAt = 0, pointedAt = 0, clock = 0;

    function say(element, key, seconds) {
      element.textContent = (box.getAttribute('data-' + key) || '').replace('{n}', seconds);
    }

    function complain(key) {
      say(problem, key);
      problem.hidden = false;
    }

    function idle() {
      clearInterval(clock);
      recorder = null;
      starting = false;
      box.removeAttribute('data-busy');
      mic.classList.remove('on');
      mic.setAttribute('aria-pressed', 'false');
      say(words, 'start');
    }

    function start() {
      if (recorder || starting) return;
      starting = true;
      /* the page stays as it is while the phone asks for permission, too */
      box.setAttribute('data-busy', '');
      problem.hidden = true;
      document.dispatchEvent(new Event('liusheng:quiet'));
      devices.getUserMedia({ audio: true }).then(record).catch(function () {
        idle();
        plain.hidden = false;
        complain('denied');
      });
    }

    function record(stream) {
      var parts = [];
      starting = false;
      /* somebody asked for a fresh page meanwhile: nobody could end this recording */
      if (!document.contains(box)) { silence(stream); idle(); return; }
      try {
        recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 32000 });
      } catch (e) {
        silence(stream);
        throw e;
      }
      recorder.ondataavailable = function (event) { if (event.data && event.data.size) parts.push(event.data); };
      recorder.onstop = function () {
        var lasted = Date.now() - beganAt;
        silence(stream);
        idle();
        if (lasted < SHORTEST || !parts.length) complain('short'); else keep(parts, Math.round(lasted / 1000));
      };
      recorder.start();
      beganAt = Date.now();
      mic.classList.add('on');
      mic.setAttribute('aria-pressed', 'true');
      tick();
      clock = setInterval(tick, 200);
    }

    function silence(stream) {
      stream.getTracks().forEach(function (track) { track.stop(); });
    }

    function tick() {
      var lasted = Date.now() - beganAt;
      say(words, 'stop', Math.floor(lasted / 1000));
      if (lasted >= MAX) stop();
    }

    function stop() {
      if (recorder && recorder.state !== 'inactive') recorder.stop();
    }

    function keep(parts, seconds) {
      var plainType = type.split(';')[0], ending = { 'audio/mp4': 'm4a', 'audio/webm': 'webm', 'audio/ogg': 'ogg' }[plainType];
      var clip = new Blob(parts, { type: plainType });
      clip.name = 'voice.' + ending;
      try {
        var carrier = new DataTransfer();
        carrier.items.add(new File([clip], clip.name, { type: plainType }));
        input.files = carrier.files;
      } catch (e) { /* an old browser: the form is sent by fetch, below */ }
      input.liushengClip = clip;
      input.liushengFailed = function () { complain('failed'); };
      problem.hidden = true;
      input.setAttribute('data-seconds', seconds);
      kept();
      document.dispatchEvent(new Event('liusheng:clip'));
      listen.focus();
    }

    function kept() {
      var clip = input.liushengClip;
      if (!clip) return;
      listen.href = clip.url || (clip.url = URL.createObjectURL(clip));
      say(listen, 'seconds', input.getAttribute('data-seconds'));
      done.hidden = false;
      mic.hidden = true;
      plain.hidden = true;
    }

    function again() {
      document.dispatchEvent(new Event('liusheng:quiet'));
      URL.revokeObjectURL(input.liushengClip.url);
      input.liushengClip = null;
      input.removeAttribute('data-seconds');
      input.value = '';
      document.dispatchEvent(new Event('liusheng:clip'));
      done.hidden = true;
      mic.hidden = false;
      mic.focus();
    }

    function toggle() {
      if (recorder) stop(); else start();
    }

    mic.addEventListener('pointerdown', function (event) {
      var now = Date.now();
      if (event.button) return;
      pointedAt = now;
      /* a second tap of a trembling hand */
      if (now - pressedAt < TWITCH) return;
      pressedAt = now;
      holding = !recorder;
      if (mic.setPointerCapture) try { mic.setPointerCapture(event.pointerId); } catch (e) { /* released already */ }
      toggle();
    });
    function released() {
      pointedAt = Date.now();
      /* let go after holding: the end. Let go at once, or while the phone still asks: it was a tap, and the next one ends it */
      if (holding && recorder && pointedAt - pressedAt >= HOLD) stop();
      holding = false;
    }
    mic.addEventListener('pointerup', released);
    mic.addEventListener('pointercancel', released);
    mic.addEventListener('contextmenu', function (event) { event.preventDefault(); });
    /* the keyboard (detail 0) and screen readers click without pointing */
    mic.addEventListener('click', function (event) { if (Date.now() - pointedAt > (event.detail ? 1000 : 350)) toggle(); });
    box.querySelector('[data-speak-again]').addEventListener('click', again);
    document.addEventListener('liusheng:restored', kept);
    document.addEventListener('visibilitychange', function () { if (document.hidden) stop(); });

    idle();
    box.hidden = false;
    plain.hidden = true;
    kept();
  }

  function setUpAll() {
    Array.prototype.forEach.call(document.querySelectorAll('[data-speak]'), setUp);
  }

  function sendByFetch(event) {
    var form = event.target, clips = [];
    Array.prototype.forEach.call(form.querySelectorAll('input[type=file]'), function (input) {
      if (input.liushengClip && !input.files.length) clips.push(input);
    });
    if (!clips.length || event.defaultPrevented) return;
    event.preventDefault();
    if (form.hasAttribute('data-sending')) return;
    form.setAttribute('data-sending', '');
    var data = new FormData(form), by = event.submitter;
    if (by && by.name) data.append(by.name, by.value);
    clips.forEach(function (input) { data.set(input.name, input.liushengClip, input.liushengClip.name); });
    fetch(form.action, { method: 'POST', body: data, credentials: 'same-origin' }).then(function (answer) {
      if (answer.redirected) { location.assign(answer.url); return null; }
      return answer.text().then(function (html) {
        document.querySelector('main').innerHTML =
          (new DOMParser().parseFromString(html, 'text/html').querySelector('main') || document.body).innerHTML;
        document.dispatchEvent(new Event('liusheng:main'));
      });
    }).catch(function () {
      form.removeAttribute('data-sending');
      clips.forEach(function (input) { if (input.liushengFailed) input.liushengFailed(); });
    });
  }

  document.addEventListener('submit', sendByFetch);
  document.addEventListener('liusheng:main', setUpAll);
  setUpAll();
})();
