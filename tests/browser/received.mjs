// web/assets/live.js with a clock and a socket of ours: prints what the page says that this phone has, a JSON object a line.
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';

const begun = 1e12;
let now = begun, timers = [], number = 0, socket = null;
const setTimeout = (call, ms = 0) => { timers.push({ id: ++number, at: now + ms, call }); return number; };
const clearTimeout = (id) => { timers = timers.filter((one) => one.id !== id); };
const pass = (ms) => {
  for (const end = now + ms; ;) {
    const next = timers.filter((one) => one.at <= end).sort((one, other) => one.at - other.at)[0];
    now = next ? next.at : end;
    if (!next) return;
    clearTimeout(next.id);
    next.call();
  }
};

const news = Array.from({ length: 20 }, (_, nth) => `s:${nth}`);
const attributes = { 'data-live': '', 'data-live-news': JSON.stringify(news) };
const main = {
  getAttribute: (name) => attributes[name] ?? null, hasAttribute: (name) => name in attributes,
  querySelector: () => null, querySelectorAll: () => [], contains: () => false,
};
const document = { hidden: false, documentElement: { dataset: {} }, querySelector: () => main, addEventListener() {} };
class WebSocket {
  constructor() { socket = this; this.readyState = 1; }
  send(text) {
    const { rpc } = JSON.parse(text);
    if (rpc) console.log(JSON.stringify({ at: now - begun, ...rpc }));
  }
  close() { this.readyState = 3; }
}
class Clock extends Date { static now() { return now; } }
const globals = {
  document, WebSocket, setTimeout, clearTimeout, Date: Clock, location: { protocol: 'http:', host: 'here', href: 'http://here/' },
  fetch: () => new Promise(() => {}), DOMParser: class {}, addEventListener() {},
};
globals.window = globals;
runInContext(readFileSync(new URL('../../web/assets/live.js', import.meta.url), 'utf8'), createContext(globals));

const hear = (frame) => socket.onmessage({ data: JSON.stringify(frame) });
socket.onopen();
const subs = Object.fromEntries(news.map((channel) => [channel, { epoch: '1', offset: 7 }]));
hear({ id: 1, connect: { ping: 25, subs: { ...subs, 's:lively': { epoch: '1', offset: 100 } } } });
// something each second, for half a minute
for (let offset = 101; offset <= 130; offset += 1) {
  hear({ push: { channel: 's:lively', pub: { offset, data: { kind: 'message' } } } });
  pass(1000);
}
