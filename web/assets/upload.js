/* Sends photos and clips before their form, in parts that go on where they broke off, so that a phone that loses its network
   sends the rest and not the whole (tus 1.0, see /docs): <form data-resume enctype="multipart/form-data">. What was sent is handed
   in as hidden fields; where that fails the form is sent as it always was. ES2017, no modules.
   <p data-resume-words role="status" hidden data-sending="...{n}" data-waiting></p>  in the form, {n} = percent */
(function () {
  'use strict';
  var PART = 256 * 1024, PATIENCE = 600000, TUS = '1.0.0';
  /* an answer that does not come; a server that is there, but will not have it; seconds that nobody waits before a form */
  var DEAF = 90000, UNWILLING = 60000, LONG = 60;
  if (!window.fetch || !window.Promise || !window.FormData || !Blob.prototype.slice) return;

  function wait(milliseconds) {
    return new Promise(function (resolve) {
      var timer = setTimeout(done, milliseconds);
      function done() {
        clearTimeout(timer);
        window.removeEventListener('online', done);
        resolve();
      }
      window.addEventListener('online', done);
    });
  }

  function ask(method, address, headers, body) {
    headers['Tus-Resumable'] = TUS;
    var options = { method: method, headers: headers, body: body, credentials: 'same-origin' }, timer;
    if (window.AbortController) {
      var breaker = new window.AbortController();
      options.signal = breaker.signal;
      timer = setTimeout(function () { breaker.abort(); }, DEAF);
    }
    function heard() { clearTimeout(timer); }
    var asked = fetch(address, options);
    asked.then(heard, heard);
    return asked;
  }

  /* away, busy or told to come again: another try may do; all else is an answer */
  function isPassing(status) {
    return status === 408 || status === 423 || status === 429 || status >= 500;
  }

  /* asks again and again until there is an answer, or the patience is over */
  function stubborn(show, began, judge, request) {
    var pause = 1000;
    function again() {
      return request().catch(function () { return null; }).then(function (answer) {
        judge(answer);
        if (answer && !isPassing(answer.status)) return answer;
        if (Date.now() - began > PATIENCE) throw new Error('no network');
        show('waiting', 0);
        pause = Math.min(pause * 2, 30000);
        return wait(pause).then(again);
      });
    }
    return again();
  }

  function send(file, show) {
    var began = Date.now(), unwilling = 0, address = '', key = String(began) + '-' + Math.random().toString(36).slice(2);
    /* where waiting leads nowhere the form goes off: its answer says why */
    function judge(answer) {
      if (!answer) return;
      if (answer.status === 507 || Number(answer.headers.get('Retry-After')) > LONG) throw new Error('refused');
      if (answer.status !== 503) return;
      unwilling = unwilling || Date.now();
      if (Date.now() - unwilling > UNWILLING) throw new Error('unwilling');
    }
    /* the part that broke off may have come in part: ask how far */
    function offset() {
      return stubborn(show, began, judge, function () { return ask('GET', address, {}); }).then(function (answer) {
        if (!answer.ok) throw new Error('refused');
        return answer.json();
      });
    }
    function go(at) {
      if (at >= file.size) return offset().then(ended);
      show('sending', Math.round(100 * at / file.size));
      var part = file.slice(at, at + PART);
      return ask('PATCH', address, { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(at) }, part)
        .catch(function () { return null; })
        .then(function (answer) {
          if (answer && answer.ok) {
            began = Date.now();
            unwilling = 0;
            return go(Number(answer.headers.get('Upload-Offset')));
          }
          judge(answer);
          if (answer && answer.status !== 409 && !isPassing(answer.status)) throw new Error('refused');
          if (Date.now() - began > PATIENCE) throw new Error('no network');
          show('waiting', 0);
          return wait(1500).then(offset).then(function (standing) { return standing.media ? ended(standing) : rest(standing); });
        });
    }
    /* whole, but not yet taken in: an empty part asks for that */
    function rest(standing) {
      if (standing.offset < file.size) return go(standing.offset);
      return stubborn(show, began, judge, function () {
        return ask('PATCH', address, { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(file.size) }, '');
      }).then(function (answer) {
        if (!answer.ok) throw new Error('refused');
        return offset().then(ended);
      });
    }
    function ended(standing) {
      if (!standing.media) throw new Error('refused');
      return standing.media.id;
    }
    show('sending', 0);
    return stubborn(show, began, judge, function () {
      return ask('POST', '/v1/uploads', { 'Upload-Length': String(file.size), 'Idempotency-Key': key });
    }).then(function (answer) {
      if (!answer.ok) throw new Error('refused');
      address = answer.headers.get('Location');
      return go(0);
    });
  }

  function filesOf(form) {
    var found = [];
    Array.prototype.forEach.call(form.querySelectorAll('input[type=file]'), function (input) {
      var files = input.files && input.files.length ? input.files : input.liushengClip ? [input.liushengClip] : [];
      Array.prototype.forEach.call(files, function (file) { found.push({ input: input, file: file }); });
    });
    return found;
  }

  /* what was sent leaves its field, what was not stays for the form */
  function handIn(form, input, sent) {
    var left = Array.prototype.filter.call(input.files || [], function (file) {
      return !sent.some(function (one) { return one.file === file; });
    });
    if (left.length && !window.DataTransfer) return;
    sent.forEach(function (one) { hidden(form, one.id); });
    input.liushengClip = null;
    if (!left.length) { input.value = ''; return; }
    var rest = new window.DataTransfer();
    left.forEach(function (file) { rest.items.add(file); });
    input.files = rest.files;
  }

  function hidden(form, id) {
    var field = document.createElement('input');
    field.type = 'hidden';
    field.name = 'media';
    field.value = id;
    form.appendChild(field);
  }

  document.addEventListener('submit', function (event) {
    var form = event.target, by = event.submitter || form.querySelector('button:not([type=button])');
    if (!form.hasAttribute || !form.hasAttribute('data-resume') || form.hasAttribute('data-resumed')) return;
    var found = filesOf(form), words = form.querySelector('[data-resume-words]');
    if (!found.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.hasAttribute('data-busy')) return;
    form.setAttribute('data-busy', '');
    function show(key, n) {
      if (!words) return;
      words.hidden = false;
      words.textContent = (words.getAttribute('data-' + key) || '').replace('{n}', n);
    }
    /* one after the other */
    var ids = [];
    var work = found.reduce(function (before, one) {
      return before.then(function () { return send(one.file, show); }).then(function (id) {
        ids.push({ input: one.input, file: one.file, id: id });
      });
    }, Promise.resolve());
    work.catch(function () { /* what is left goes as it always did: the answer says what is wrong */ }).then(function () {
      ids.forEach(function (one, at) {
        function isOfIt(other) { return other.input === one.input; }
        if (ids.findIndex(isOfIt) === at) handIn(form, one.input, ids.filter(isOfIt));
      });
      form.setAttribute('data-resumed', '');
      form.removeAttribute('data-busy');
      if (words) words.hidden = true;
      if (by) by.click(); else form.submit();
      form.removeAttribute('data-resumed');
    });
  }, true);
})();
