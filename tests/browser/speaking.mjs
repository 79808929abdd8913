// The recorder's script with a page of a few objects: what it does while the phone asks for permission, and when sending fails.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const script = readFileSync(new URL('../../web/assets/speak.js', import.meta.url), 'utf8');
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

class Part {
  constructor(attributes = {}) {
    Object.assign(this, { attributes: { ...attributes }, listeners: {}, parts: {}, hidden: true, textContent: '', value: '', files: [] });
    this.classList = { add() {}, remove() {} };
  }
  getAttribute(name) { return this.attributes[name] ?? null; }
  setAttribute(name, value) { this.attributes[name] = String(value); }
  hasAttribute(name) { return name in this.attributes; }
  removeAttribute(name) { delete this.attributes[name]; }
  addEventListener(name, heard) { this.listeners[name] = heard; }
  querySelector(selector) { return Object.entries(this.parts).find(([name]) => selector.includes(name))?.[1] ?? null; }
  querySelectorAll() { return Object.values(this.parts).filter((part) => part.isFile); }
  closest() { return this.form; }
  focus() {}
}

/** A page with a recorder; permission is given when the test says so. */
function page() {
  const form = new Part(), input = new Part(), box = new Part({ 'data-speak': 'voice', 'data-denied': '不许', 'data-failed': '没发出去' });
  input.isFile = true;
  input.name = 'voice';
  box.form = form;
  form.parts = { 'input[type=file]': input, 'data-speak-file': new Part() };
  for (const name of ['mic', 'words', 'done', 'play', 'problem', 'again']) box.parts[`data-speak-${name}`] = new Part();
  const state = { isThere: true, stopped: 0, allow: null, listeners: {}, form, input, box };
  const track = { stop() { state.stopped += 1; } };
  class MediaRecorder {
    static isTypeSupported() { return true; }
    start() { this.state = 'recording'; state.recorder = this; }
    stop() { this.state = 'inactive'; this.ondataavailable({ data: { size: 9 } }); this.onstop(); }
  }
  const asked = () => new Promise((resolve, reject) => Object.assign(state, { allow: () => resolve({ getTracks: () => [track] }), reject }));
  const document = {
    hidden: false,
    contains: () => state.isThere,
    querySelectorAll: () => [box],
    addEventListener(name, heard) { state.listeners[name] = heard; },
    dispatchEvent() {},
  };
  class FormData { append() {} set() {} }
  const now = { at: 1_000_000 };
  const window = { MediaRecorder, FormData, Promise };
  vm.runInNewContext(script, {
    window, document, MediaRecorder, FormData, Promise, setInterval, clearInterval,
    navigator: { mediaDevices: { getUserMedia: asked } },
    Event: class { constructor(type) { this.type = type; } },
    Blob: class { constructor() { this.size = 9; } },
    URL: { createObjectURL: () => 'blob:x', revokeObjectURL() {} },
    Date: { now: () => now.at },
    fetch: () => Promise.reject(new Error('no net')),
  });
  return { ...state, state, now, click: () => box.parts['data-speak-mic'].listeners.click({ detail: 0 }) };
}

// while the phone asks, the page counts as busy: nothing replaces it
let one = page();
one.click();
assert.ok(one.box.hasAttribute('data-busy'), 'busy while the phone asks');
one.state.allow();
await soon();
assert.ok(one.state.recorder && one.box.hasAttribute('data-busy'), 'recording');

// what was recorded and cannot be sent says so, and is still there
one.now.at += 5000;
one.state.recorder.stop();
assert.ok(!one.box.hasAttribute('data-busy') && one.input.liushengClip, 'kept');
const problem = one.box.parts['data-speak-problem'];
assert.ok(problem.hidden);
one.state.listeners.submit({ target: one.form, defaultPrevented: false, preventDefault() {} });
await soon();
assert.deepEqual([problem.hidden, problem.textContent], [false, '没发出去']);
assert.ok(one.input.liushengClip && !one.form.hasAttribute('data-sending'), 'it can be sent again');

// a page that went away meanwhile is not recorded for
one = page();
one.click();
one.state.isThere = false;
one.state.allow();
await soon();
assert.deepEqual([one.state.recorder, one.state.stopped], [undefined, 1], 'the microphone is closed again');

// refused: the page may be replaced again
one = page();
one.click();
one.state.reject(new Error('denied'));
await soon();
assert.ok(!one.box.hasAttribute('data-busy'));
assert.equal(one.box.parts['data-speak-problem'].textContent, '不许');
console.log('ok');
