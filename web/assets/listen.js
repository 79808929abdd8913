/* Plays a recording where its link stands, instead of leaving the page: <a class="voice" data-listen href="/v1/media/7">.
   Without this script, or where the sound cannot be played, the link opens the recording itself. ES2017, no modules. */
(function () {
  'use strict';
  var sound = window.Audio ? new Audio() : null, playing = '';
  if (!sound) return;

  function paint() {
    Array.prototype.forEach.call(document.querySelectorAll('[data-listen]'), function (link) {
      var on = playing !== '' && link.href === playing;
      link.classList.toggle('on', on);
      link.setAttribute('role', 'button');
      link.setAttribute('aria-pressed', on ? 'true' : 'false');
    });
  }

  function stop() {
    sound.pause();
    playing = '';
    paint();
  }

  function play(href) {
    playing = href;
    sound.src = href;
    var started = sound.play();
    if (started) started.catch(function (error) { if (error.name !== 'AbortError') failed(href); });
    paint();
  }

  function failed(href) {
    if (playing !== href) return;
    stop();
    if (href.indexOf('blob:') !== 0) location.href = href;
  }

  sound.onended = stop;
  sound.onerror = function () { failed(playing); };
  document.addEventListener('click', function (event) {
    var link = event.target.closest && event.target.closest('[data-listen]');
    if (!link || !link.href) return;
    event.preventDefault();
    if (playing === link.href) stop(); else play(link.href);
  });
  /* what says that it is a button answers the space bar too */
  document.addEventListener('keydown', function (event) {
    if (event.key === ' ' && event.target.hasAttribute && event.target.hasAttribute('data-listen')) {
      event.preventDefault();
      event.target.click();
    }
  });
  document.addEventListener('liusheng:main', paint);
  document.addEventListener('liusheng:quiet', stop);
  paint();
})();
