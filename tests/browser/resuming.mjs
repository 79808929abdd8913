// The script that sends files in parts, with a page of a few objects and a network that breaks: nothing is sent twice, and the
// form goes off once, with what was kept.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const script = readFileSync(new URL('../../web/assets/upload.js', import.meta.url), 'utf8');

class Part {
  constructor(attributes = {}) { Object.assign(this, { attributes: { ...attributes }, hidden: true, value: '' }); }
  getAttribute(name) { return this.attributes[name] ?? null; }
  setAttribute(name, value) { this.attributes[name] = String(value); }
  hasAttribute(name) { return name in this.attributes; }
  removeAttribute(name) { delete this.attributes[name]; }
}

/** A file of these many bytes, whose parts know where they are. */
const file = (size) => ({ size, slice: (from, to) => ({ from, to: Math.min(to, size) }) });

/** A server that keeps what comes; `breaks(n)` says what becomes of the n-th request: `lost` before, `deaf` after it was done. */
function page(files, breaks, { refusal, hurry = 0 } = {}) {
  let now = 1e12;
  const clock = { now: () => (now += hurry) };
  const state = { uploads: [], sent: 0, submits: 0, asked: 0, words: [] };
  const listeners = {};
  const input = Object.assign(new Part(), { files, liushengClip: null });
  Object.defineProperty(input, 'value', { set(value) { if (value === '') input.files = []; }, get: () => '' });
  const words = new Part({ 'data-sending': '已传 {n}%', 'data-waiting': '等网络' });
  Object.defineProperty(words, 'textContent', { set(text) { state.words.push(text); } });
  const form = Object.assign(new Part({ 'data-resume': '' }), {
    fields: [],
    querySelector: (selector) => (selector.includes('words') ? words : button),
    querySelectorAll: () => [input],
    appendChild(field) { this.fields.push([field.name, field.value]); },
  });
  const submit = () => {
    const event = { target: form, submitter: button, prevented: false, preventDefault() { this.prevented = true; }, stopImmediatePropagation() {} };
    listeners.submit(event);
    if (!event.prevented) { state.submits += 1; state.done(); }
  };
  const button = { click: submit };
  const head = (values) => ({ get: (name) => values[name] ?? null });
  const serve = (method, address, headers, body) => {
    if (method === 'POST') {
      const known = state.uploads.findIndex((one) => one.key === headers['Idempotency-Key']);
      if (known < 0) state.uploads.push({ key: headers['Idempotency-Key'], length: Number(headers['Upload-Length']), offset: 0, parts: 0 });
      const at = known < 0 ? state.uploads.length - 1 : known;
      return { ok: true, status: 201, headers: head({ Location: `/v1/uploads/${at}` }) };
    }
    const at = Number(address.split('/').pop()), upload = state.uploads[at];
    const view = { offset: upload.offset, ...(upload.offset === upload.length && !refusal ? { media: { id: `m${at}` } } : {}) };
    if (method === 'GET') return { ok: true, status: 200, headers: head({}), json: async () => view };
    assert.equal(headers['Tus-Resumable'], '1.0.0');
    if (Number(headers['Upload-Offset']) !== upload.offset) return { ok: false, status: 409, headers: head({}) };
    if (body !== '') { upload.parts += 1; upload.offset = body.to; state.sent += body.to - body.from; }
    if (upload.offset === upload.length && refusal) return { ok: false, status: refusal, headers: head({}) };
    return { ok: true, status: 204, headers: head({ 'Upload-Offset': String(upload.offset) }) };
  };
  const fetch = async (address, { method, headers, body }) => {
    const fate = breaks((state.asked += 1));
    if (fate === 'lost') throw new Error('no net');
    if (typeof fate === 'number') return { ok: false, status: fate, headers: head({}) };
    const answer = serve(method, address, headers, body);
    if (fate === 'deaf') throw new Error('no net');
    return answer;
  };
  const document = { addEventListener(name, heard) { listeners[name] = heard; }, createElement: () => new Part() };
  class DataTransfer { constructor() { this.files = []; this.items = { add: (one) => this.files.push(one) }; } }
  const window = { DataTransfer, fetch, Promise, FormData: class {}, addEventListener() {}, removeEventListener() {} };
  class Blob { slice() {} }
  vm.runInNewContext(script, {
    window, document, fetch, Promise, Blob, Date: clock, Math, Error, Number, String, Array,
    setTimeout: (done) => setTimeout(done, 1), clearTimeout,
  });
  state.ended = new Promise((resolve) => { state.done = resolve; });
  return { state, form, submit, input };
}

const sizes = [700_000, 10, 256 * 1024];
const total = sizes.reduce((sum, size) => sum + size, 0);

// everything goes well
let one = page(sizes.map(file), () => null);
one.submit();
await one.state.ended;
assert.deepEqual(one.form.fields, [['media', 'm0'], ['media', 'm1'], ['media', 'm2']]);
assert.deepEqual([one.state.sent, one.state.submits, one.input.files.length], [total, 1, 0]);
assert.ok(one.state.words.includes('已传 37%'), one.state.words.join());
assert.ok(!one.form.hasAttribute('data-busy') && !one.form.hasAttribute('data-resumed'));

// every third request is lost, before or after it was done, or told to come again: no byte twice, no upload twice
for (const fate of ['lost', 'deaf', 503, 429]) {
  one = page(sizes.map(file), (n) => (n % 3 ? null : fate));
  one.submit();
  one.submit();
  await one.state.ended;
  assert.deepEqual(one.form.fields.map((field) => field[1]), ['m0', 'm1', 'm2'], String(fate));
  assert.deepEqual([one.state.sent, one.state.submits, one.state.uploads.length], [total, 1, 3], String(fate));
  assert.ok(one.state.words.includes('等网络'));
}

// what the server refuses goes off with the form, whose answer says why
for (const refusal of [415, 422]) {
  one = page([file(10)], () => null, { refusal });
  one.submit();
  await one.state.ended;
  assert.deepEqual([one.form.fields.length, one.input.files.length, one.state.submits], [0, 1, 1]);
}

// a full disk is not waited for, and neither is, for longer than a minute, a server that will not have it
for (const fate of [507, 503]) {
  one = page([file(10)], () => fate, { hurry: 5000 });
  one.submit();
  await one.state.ended;
  assert.deepEqual([one.form.fields.length, one.input.files.length, one.state.submits], [0, 1, 1], String(fate));
  assert.ok(one.state.asked < (fate === 507 ? 2 : 20), `${one.state.asked} requests`);
}

// what was sent before is handed in, the rest goes with the form
const two = [file(10), file(20)];
one = page(two, (n) => (n > 3 ? 415 : null));
one.submit();
await one.state.ended;
assert.deepEqual(one.form.fields, [['media', 'm0']]);
assert.deepEqual([one.input.files, one.state.submits], [[two[1]], 1]);

// a server without uploads is a server as before
one = page([file(10)], () => 404);
one.submit();
await one.state.ended;
assert.deepEqual([one.form.fields.length, one.input.files.length], [0, 1]);
console.log('resuming: ok');
