/* Makes chosen photos small before they are sent: <input type="file" accept="image/*" multiple data-shrink>. The server does
   the same to what arrives large; this saves the sender's data volume and minutes. ES2017, no modules. */
(function () {
  'use strict';
  var LONGEST = 1600, QUALITY = 0.8, FINE = 300000;
  var canvas = document.createElement('canvas');
  /* a browser that does not turn pictures by their EXIF would lose which way is up */
  if (!canvas.toBlob || !window.Promise || !window.CSS || !CSS.supports('image-orientation', 'from-image')) return;
  try { new DataTransfer(); } catch (e) { return; }

  function small(file) {
    if (!/^image\/(jpeg|png|webp|heic|heif)$/.test(file.type)) return Promise.resolve(file);
    return new Promise(function (resolve) {
      var picture = new Image(), url = URL.createObjectURL(file);
      function finish(result) {
        URL.revokeObjectURL(url);
        resolve(result || file);
      }
      picture.onerror = function () { finish(); };
      picture.onload = function () {
        var scale = Math.min(1, LONGEST / Math.max(picture.naturalWidth, picture.naturalHeight));
        if (scale === 1 && file.size < FINE && file.type === 'image/jpeg') return finish();
        canvas.width = Math.max(1, Math.round(picture.naturalWidth * scale));
        canvas.height = Math.max(1, Math.round(picture.naturalHeight * scale));
        var paper = canvas.getContext('2d');
        paper.fillStyle = '#fff';
        paper.fillRect(0, 0, canvas.width, canvas.height);
        paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
        canvas.toBlob(function (blob) {
          var better = blob && (blob.size < file.size || /hei[cf]$/.test(file.type));
          finish(better && new File([blob], file.name.replace(/\.\w+$/, '') + '.jpg', { type: 'image/jpeg' }));
        }, 'image/jpeg', QUALITY);
      };
      picture.src = url;
    });
  }

  /* What was chosen is seen before it is sent; a browser tells its number at most. */
  function show(input) {
    var list = input.nextElementSibling;
    if (!list || !list.hasAttribute('data-chosen')) {
      list = document.createElement('ul');
      list.className = 'photos';
      list.setAttribute('data-chosen', '');
      input.parentNode.insertBefore(list, input.nextSibling);
    }
    list.textContent = '';
    Array.prototype.forEach.call(input.files, function (file) {
      var place = document.createElement('li'), picture = new Image(), url = URL.createObjectURL(file);
      picture.onload = function () { URL.revokeObjectURL(url); };
      picture.onerror = function () { URL.revokeObjectURL(url); place.hidden = true; };
      picture.alt = file.name;
      picture.src = url;
      place.appendChild(picture);
      list.appendChild(place);
    });
  }

  /* one after the other: four large pictures at once are too many for a cheap phone */
  function shrink(input) {
    var chosen = Array.prototype.slice.call(input.files), carrier = new DataTransfer();
    var work = chosen.reduce(function (before, file) {
      return before.then(function () { return small(file); }).then(function (made) { carrier.items.add(made); });
    }, Promise.resolve());
    input.liushengWork = work.then(function () {
      /* unless others were chosen meanwhile */
      if (input.files.length === chosen.length && input.files[0] === chosen[0]) input.files = carrier.files;
    }).catch(function () { /* as chosen, then */ }).then(function () {
      input.liushengWork = null;
      show(input);
    }).catch(function () { /* unseen, then */ });
  }

  document.addEventListener('change', function (event) {
    var input = event.target;
    if (input.type === 'file' && input.hasAttribute('data-shrink')) (input.files.length ? shrink : show)(input);
  });

  document.addEventListener('submit', function (event) {
    var form = event.target, work = [], by = event.submitter || form.querySelector('button:not([type=button])');
    Array.prototype.forEach.call(form.querySelectorAll('input[data-shrink]'), function (input) {
      if (input.liushengWork) work.push(input.liushengWork);
    });
    if (!work.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    Promise.all(work).then(function () { if (by) by.click(); else form.submit(); });
  }, true);
})();
