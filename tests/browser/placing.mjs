// The script that fills in the place, with a page of a few objects: from the phone, and from where a photo was taken, if ticked.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const script = readFileSync(new URL('../../web/assets/place.js', import.meta.url), 'utf8');
const real = readFileSync(new URL('../data/media/gps-sideways.jpg', import.meta.url));
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

class Part {
  constructor(attributes = {}) {
    Object.assign(this, { attributes, listeners: {}, parts: {}, hidden: true, textContent: '', value: '', checked: false });
  }
  getAttribute(name) { return this.attributes[name] ?? null; }
  addEventListener(name, heard) { this.listeners[name] = heard; }
  querySelector(selector) { return this.parts[selector] ?? null; }
  closest() { return this.form; }
}

/** A page on which the phone answers as `locate` does. */
function page(locate) {
  const words = { 'data-place': 'place', 'data-word': '纬{lat} 经{lon}', 'data-wait': '等', 'data-denied': '不许', 'data-none': '没有' };
  const [form, box, field, pin, tick, says] = [{}, words, {}, {}, {}, {}].map((attributes) => new Part(attributes));
  box.form = form;
  box.parts = { '[data-place-pin]': pin, '[data-place-photo] input': tick, '[data-place-says]': says };
  class FileReader {
    readAsArrayBuffer(part) {
      this.result = Uint8Array.from(part).buffer;
      setTimeout(() => this.onload(), 0);
    }
  }
  const window = { Promise, FileReader, DataView, isSecureContext: true };
  const navigator = locate ? { geolocation: { getCurrentPosition: locate } } : {};
  const document = { querySelector: () => box, getElementById: () => field };
  vm.runInNewContext(script, { window, document, navigator, Promise, FileReader, DataView });
  const choose = async (...photos) => {
    const files = photos.map((bytes) => ({ slice: (from, to) => bytes.subarray(from, to) }));
    form.listeners.change({ target: { type: 'file', accept: 'image/*', files } });
    await soon();
  };
  const set = async (checked) => { tick.checked = checked; tick.listeners.change(); await soon(); };
  return { field, pin, box, says, choose, set };
}

/** A JPEG that says where it was taken, in degrees, minutes and hundredths of a second. */
function taken(south, lat, west, lon) {
  const bytes = new Uint8Array(12 + 128), view = new DataView(bytes.buffer);
  view.setUint16(0, 0xffd8);
  view.setUint16(2, 0xffe1);
  view.setUint16(4, 136);
  'Exif'.split('').forEach((letter, at) => view.setUint8(6 + at, letter.charCodeAt(0)));
  const at = (place) => 12 + place;
  view.setUint16(at(0), 0x4d4d);
  view.setUint16(at(2), 42);
  view.setUint32(at(4), 8);
  const entry = (place, number, kind, count) => {
    view.setUint16(at(place), number);
    view.setUint16(at(place + 2), kind);
    view.setUint32(at(place + 4), count);
    return at(place + 8);
  };
  view.setUint16(at(8), 1);
  view.setUint32(entry(10, 0x8825, 4, 1), 26);
  view.setUint16(at(26), 4);
  view.setUint8(entry(28, 1, 2, 2), south.charCodeAt(0));
  view.setUint32(entry(40, 2, 5, 3), 80);
  view.setUint8(entry(52, 3, 2, 2), west.charCodeAt(0));
  view.setUint32(entry(64, 4, 5, 3), 104);
  [...lat, ...lon].forEach((value, nth) => {
    view.setUint32(at(80 + 8 * nth), nth % 3 === 2 ? value * 100 : value);
    view.setUint32(at(84 + 8 * nth), nth % 3 === 2 ? 100 : 1);
  });
  return bytes;
}

const here = taken('N', [30, 32, 15], 'E', [119, 54, 18]);

{ // without the tick nothing of a photo is read; with it what was typed stays, and unticked it is as it was
  const { field, choose, set, box, says } = page();
  assert.equal(box.hidden, false);
  field.value = '桥头';
  await choose(here);
  assert.equal(field.value, '桥头');
  await set(true);
  assert.equal(field.value, '桥头 纬30.53750 经119.90500');
  await choose(taken('S', [1, 0, 0], 'W', [2, 30, 0]));
  assert.equal(field.value, '桥头 纬-1.00000 经-2.50000', 'of the photos that are chosen now');
  await choose(new Uint8Array([0xff, 0xd8, 0xff, 0xd9]));
  assert.deepEqual([field.value, says.textContent], ['桥头', '没有'], 'not of one that is no longer chosen');
  await choose(here);
  await set(false);
  assert.equal(field.value, '桥头');
}
{ // ticked before; a photo of a real phone; the first that says where
  const { field, says, choose, set } = page();
  await set(true);
  await choose(new Uint8Array([0xff, 0xd8, 0xff, 0xdb, 0, 4, 0, 0]), real);
  assert.equal(field.value, '纬30.62008 经119.96267');
  assert.equal(says.hidden, true);
}
{ // a photo that says nothing, one that ends too soon, one that points beyond its end, one that divides by nothing
  const broken = taken('N', [30, 0, 0], 'E', [119, 0, 0]);
  new DataView(broken.buffer).setUint32(12 + 4, 0x7fffffff);
  const nothing = taken('N', [30, 0, 0], 'E', [119, 0, 0]);
  new DataView(nothing.buffer).setUint32(12 + 84, 0);
  for (const bytes of [new Uint8Array([0xff, 0xd8, 0xff, 0xd9]), here.subarray(0, 60), broken, nothing, new Uint8Array(0)]) {
    const { field, says, choose, set } = page();
    await set(true);
    await choose(bytes);
    assert.deepEqual([field.value, says.textContent], ['', '没有']);
  }
}
{ // the place of the phone, asked for by hand alone
  let asked = 0;
  const there = page((found) => { asked += 1; found({ coords: { latitude: 30.5, longitude: 119.9 } }); });
  assert.equal(asked, 0);
  assert.equal(there.pin.hidden, false);
  there.pin.listeners.click();
  there.pin.listeners.click();
  assert.equal(there.field.value, '纬30.50000 经119.90000', 'once, however often');
  await there.choose(here);
  assert.equal(there.field.value, '纬30.50000 经119.90000', 'a photo that nobody ticked takes nothing away');
  await there.set(true);
  assert.equal(there.field.value, '纬30.53750 经119.90500');
  const denied = page((found, failed) => failed());
  denied.pin.listeners.click();
  assert.deepEqual([denied.field.value, denied.says.textContent], ['', '不许']);
  assert.equal(page().pin.hidden, true, 'a phone that does not say where it is');
}
