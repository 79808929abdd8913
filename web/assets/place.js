/* Says where something is, when whoever speaks wants that: a button takes the place of the phone, and a tick takes the place in
   which the chosen photo was taken. Both stand as numbers in the field for the place, where everybody can read and change them;
   the photo itself is sent without its place, ticked or not. Everything works without it: the part is hidden until this script
   finds what it needs. ES2017, no modules.
   <div data-place="place" hidden data-word data-wait data-denied data-none>      words, {lat} and {lon} = degrees
     <button type="button" data-place-pin></button>
     <label data-place-photo><input type="checkbox"></label>
     <p role="status" data-place-says hidden></p>
   </div>
   <input id="place" maxlength="100"> and <input type="file" accept="image/*"> in the same form */
(function () {
  'use strict';
  var LONGEST = 100, READ = 262144, GPS = 0x8825;
  var box = document.querySelector('[data-place]');
  var field = box && document.getElementById(box.getAttribute('data-place'));
  if (!field || !window.Promise) return;
  var form = box.closest('form'), says = box.querySelector('[data-place-says]');
  var pin = box.querySelector('[data-place-pin]'), tick = box.querySelector('[data-place-photo] input'), photos = [];

  function tell(key) {
    says.textContent = key ? box.getAttribute('data-' + key) || '' : '';
    says.hidden = !says.textContent;
  }

  /* five digits are a metre; what was typed stays, what was put there before goes */
  function put(lat, lon) {
    var word = (box.getAttribute('data-word') || '').replace('{lat}', lat.toFixed(5)).replace('{lon}', lon.toFixed(5));
    var typed = field.value.replace(box.liushengPut || '', '').trim();
    var all = typed ? typed + ' ' + word : word;
    tell('');
    if (all.length > LONGEST) return;
    field.value = all;
    box.liushengPut = word;
  }

  function degrees(view, at, little) {
    var value = 0, parts = [1, 60, 3600], i, below;
    for (i = 0; i < 3; i += 1) {
      below = view.getUint32(at + 8 * i + 4, little);
      if (!below) return NaN;
      value += view.getUint32(at + 8 * i, little) / below / parts[i];
    }
    return value;
  }

  /* the entries of one directory of EXIF: number, where its value stands */
  function entries(view, base, at, little) {
    var found = {}, count = view.getUint16(base + at, little), i, entry;
    for (i = 0; i < count; i += 1) {
      entry = base + at + 2 + 12 * i;
      found[view.getUint16(entry, little)] = entry + 8;
    }
    return found;
  }

  /* where a JPEG says that it was taken; null when it does not, and when it is none. Reading past its end throws. */
  function taken(view) {
    var at = 2, mark, base, little, gps, lat, lon;
    if (view.getUint16(0) !== 0xFFD8) return null;
    for (;;) {
      mark = view.getUint16(at);
      if (mark === 0xFFE1 && view.getUint32(at + 4) === 0x45786966) break;
      if (mark < 0xFFE0 || mark > 0xFFFE) return null;
      at += 2 + view.getUint16(at + 2);
    }
    base = at + 10;
    little = view.getUint16(base) === 0x4949;
    gps = entries(view, base, view.getUint32(base + 4, little), little)[GPS];
    if (!gps) return null;
    gps = entries(view, base, view.getUint32(gps, little), little);
    if (!gps[1] || !gps[2] || !gps[3] || !gps[4]) return null;
    lat = degrees(view, base + view.getUint32(gps[2], little), little);
    lon = degrees(view, base + view.getUint32(gps[4], little), little);
    if (view.getUint8(gps[1]) === 0x53) lat = -lat;
    if (view.getUint8(gps[3]) === 0x57) lon = -lon;
    return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && (lat || lon) ? { lat: lat, lon: lon } : null;
  }

  function read(file) {
    return new Promise(function (resolve) {
      var reader = new FileReader();
      reader.onload = function () {
        try { resolve(taken(new DataView(reader.result))); } catch (e) { resolve(null); }
      };
      reader.onerror = function () { resolve(null); };
      reader.readAsArrayBuffer(file.slice(0, READ));
    });
  }

  /* of the first photo that says where it was taken */
  function look() {
    if (!tick.checked && box.liushengPut) {
      field.value = field.value.replace(box.liushengPut, '').trim();
      box.liushengPut = '';
    }
    if (!tick.checked || !photos.length) return;
    Promise.all(photos.map(read)).then(function (places) {
      var found = places.filter(Boolean)[0];
      if (!tick.checked) return;
      if (found) put(found.lat, found.lon); else tell('none');
    });
  }

  if (pin && navigator.geolocation && window.isSecureContext) {
    pin.hidden = false;
    pin.addEventListener('click', function () {
      tell('wait');
      navigator.geolocation.getCurrentPosition(function (here) {
        put(here.coords.latitude, here.coords.longitude);
      }, function () { tell('denied'); }, { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 });
    });
  } else if (pin) {
    pin.hidden = true;
  }
  if (tick && window.FileReader && window.DataView) {
    tick.addEventListener('change', look);
    /* as chosen: before they are made small, which takes the place away */
    form.addEventListener('change', function (event) {
      var input = event.target;
      if (input.type !== 'file' || !/image/.test(input.accept || '')) return;
      photos = Array.prototype.slice.call(input.files, 0, 9);
      look();
    }, true);
  }
  box.hidden = false;
})();
