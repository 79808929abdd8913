// One page that stays open while its phone sleeps, is in a tunnel, or the server is started anew.
// Usage: away.mjs PAGE_URL COOKIE; says what happened line by line, as JSON; told what to do by words on standard input.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [url, secret] = process.argv.slice(2);
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update'];
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium-headless-shell', args: ARGS });
const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'zh-CN' });
const { hostname } = new URL(url);
await context.addCookies([{ name: 'ls_session', value: secret, domain: hostname, path: '/', httpOnly: true, sameSite: 'Lax' }]);
const page = await context.newPage();
const devtools = await context.newCDPSession(page);
page.on('pageerror', (error) => say('fault', { text: String(error) }));
page.on('websocket', (socket) => {
  say('socket');
  socket.on('close', () => say('socket closed'));
});
await page.goto(url);

/** What the browser tells the page about being looked at. */
const shown = (is) => page.evaluate((hidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (hidden ? 'hidden' : 'visible') });
  document.dispatchEvent(new Event('visibilitychange'));
}, !is);

const words = {
  live: () => page.waitForFunction(() => document.documentElement.dataset.live === 'on', null, { timeout: 30_000 }),
  freeze: () => devtools.send('Page.setWebLifecycleState', { state: 'frozen' }),
  thaw: () => devtools.send('Page.setWebLifecycleState', { state: 'active' }),
  hide: () => shown(false),
  show: () => shown(true),
  offline: () => context.setOffline(true),
  online: () => context.setOffline(false),
  shows: (text) => page.getByText(text).first().waitFor({ timeout: 30_000 }),
  type: (text) => page.locator('main textarea').first().pressSequentially(text),
  picture: (file) => page.screenshot({ path: file }),
  end: () => browser.close(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  try {
    await words[word](rest.join(' '));
    say(word, { text: rest.join(' ') });
  } catch (error) {
    say('failed', { text: `${line}: ${error}` });
  }
  if (word === 'end') break;
}
process.exit(0);
