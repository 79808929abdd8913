// People with browsers: how they log in, type and press, and what every page that they see must satisfy.
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { chromium, request } from 'playwright-core';
import { audit, crowded, enlarge, restore } from './audit.mjs';

const [base, shots] = process.argv.slice(2);
const PHONE = { width: 390, height: 844 };
const NARROW = { width: 320, height: 640 };
const SCREEN = { width: 1280, height: 900 };
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--lang=zh-CN', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
// nobody looks at the pictures of a short run of all tests
const DRAWS = process.env.LSTEST_FULL !== '0';
// a page with its style and scripts, packed, over a village's 3G: about two seconds
const HEAVIEST = 60_000;

mkdirSync(shots, { recursive: true });
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium-headless-shell', args: ARGS });
const assets = new Map();

/** Says a line to the test that runs this, and hears its answer. */
export async function ask(line) {
  console.log(line);
  return (await answers.next()).value;
}

/** Moves the clock, and waits until everything that follows has followed. */
export const pass = (hours) => ask(`pass ${hours}`);

export const leave = () => browser.close();

/** Somebody with a phone, or at a desk. `scripts: false`: JavaScript is switched off; `workers: false`: service workers are. */
export async function person(name, phone, { scripts = true, workers = true, desk = false } = {}) {
  const viewport = desk ? SCREEN : PHONE;
  const context = await browser.newContext({ baseURL: base, javaScriptEnabled: scripts, viewport, locale: 'zh-CN', permissions: scripts ? ['microphone'] : [], serviceWorkers: workers ? 'allow' : 'block' });
  const page = await context.newPage();
  // other tests run beside this one
  page.setDefaultTimeout(40_000);
  const one = new Person(name, phone, page);
  page.on('pageerror', (error) => one.faults.push(`error: ${error}`));
  page.on('console', (message) => { if (message.type() === 'error') one.faults.push(`console: ${message.text()} ${message.location().url}`); });
  page.on('requestfailed', (failed) => { if (failed.failure().errorText !== 'net::ERR_ABORTED') one.faults.push(`${failed.url()}: ${failed.failure().errorText}`); });
  return one;
}

class Person {
  constructor(name, phone, page) {
    Object.assign(this, { name, phone, page, faults: [] });
  }

  /** Through the log-in, on to `then`. `who`: the name to choose where a family shares a number. */
  async login(then = '/', who) {
    await this.go(`/login?then=${encodeURIComponent(then)}`);
    await this.fill('/login/code', { phone: this.phone });
    await this.code(who);
    return this;
  }

  /** From the page that asks for the code on. */
  async code(who) {
    await this.fill('/login', { code: await ask(`code ${this.phone}`) });
    if (who) await this.fill('/login', { person_id: who });
  }

  async go(path) {
    await this.page.goto(path);
    await this.check();
  }

  /** A link with this in its words. */
  async follow(words) {
    const link = this.page.getByRole('link').filter({ hasText: words }).first();
    await link.evaluate((one) => { for (let at = one.closest('details'); at; at = at.parentElement.closest('details')) at.open = true; });
    await this.moving(() => link.click());
    await this.check();
  }

  /** Fills in the form that posts to a path, or is named so, and presses its button; waits until what follows has followed. */
  async fill(which, fields = {}, { refused = false } = {}) {
    const form = this.page.locator(which.startsWith('/') ? `form[action="${which}"]` : `form[id="${which}"]`).first();
    const closed = this.page.locator('details:not([open])').filter({ has: form });
    if (await closed.count()) await closed.first().locator('summary').first().click();
    for (const [name, value] of Object.entries(fields)) await this.put(form, name, value);
    await this.moving(() => form.locator('button.button, button:not([type=button])').last().click());
    await pass(0);
    await this.check(refused);
  }

  async put(form, name, value) {
    const field = form.locator(`[name="${name}"]`).first();
    const kind = await field.evaluate((one) => (one.tagName === 'SELECT' ? 'select' : one.type), null, { timeout: 10_000 });
    if (kind === 'select') {
      const labels = await field.locator('option').allTextContents();
      const index = labels.findIndex((label) => label.includes(value));
      if (index < 0) throw new Error(`${this.name}: no option ${value} among ${labels}`);
      await field.selectOption({ index });
    } else if (kind === 'radio' || kind === 'checkbox') {
      const choice = (words) => form.locator(`label.choice:has([name="${name}"])`).filter({ hasText: words }).first();
      for (const words of [value].flat()) await choice(words).click();
    } else if (kind === 'file') {
      await field.setInputFiles(value);
    } else {
      await field.fill(value);
    }
  }

  /** Does something that leads to another page. */
  async moving(act) {
    await Promise.all([this.page.waitForNavigation({ waitUntil: 'load' }), act()]);
  }

  /** No page may lack a sentence, complain, or break. */
  async check(refused = false) {
    const html = await this.page.content();
    const where = `${this.name} at ${new URL(this.page.url()).pathname}`;
    if (html.includes('⟦')) throw new Error(`${where}: a sentence is missing: ${html.match(/⟦[^⟧]*⟧?/)[0]}`);
    const problem = this.page.locator('.problem, .field-error');
    if (!refused && (await problem.count())) throw new Error(`${where}: ${(await problem.allInnerTexts()).join(' ')}`);
    if (!refused && this.faults.length) throw new Error(`${where}: ${this.faults.join('\n')}`);
    this.faults.length = 0;
  }

  async text() {
    return this.page.locator('body').innerText();
  }

  /** Waits until these words stand on the page. */
  async sees(...words) {
    for (const one of words) {
      try {
        await this.page.waitForFunction((text) => document.body.innerText.includes(text), one, { timeout: 30_000, polling: 100 });
      } catch {
        throw new Error(`${this.name} does not see “${one}” at ${this.page.url()}:\n${await this.text()}`);
      }
    }
  }

  async lacks(...words) {
    const text = await this.text();
    for (const one of words) if (text.includes(one)) throw new Error(`${this.name} sees “${one}” at ${this.page.url()}`);
  }

  /** Is this page fit for an old villager? Size, contrast, boxes; then on a narrow phone, and there with larger letters. */
  async look(name) {
    const faults = (await this.page.evaluate(audit)).map((fault) => `390: ${fault}`);
    await this.picture(name);
    await this.page.setViewportSize(NARROW);
    faults.push(...(await this.page.evaluate(crowded)).map((fault) => `320: ${fault}`));
    await this.page.evaluate(enlarge);
    faults.push(...(await this.page.evaluate(crowded)).map((fault) => `320, letters of 140 %: ${fault}`));
    await this.picture(`${name}-140`, false);
    await this.page.evaluate(restore);
    await this.page.setViewportSize(PHONE);
    const [own, all] = await this.weight();
    console.log(`${name}: ${own} bytes packed, ${all} with style and scripts`);
    if (all > HEAVIEST) faults.push(`${all} bytes`);
    if (faults.length) looks.push(`${name} (${new URL(this.page.url()).pathname})\n  ${[...new Set(faults)].join('\n  ')}`);
  }

  async weight() {
    const own = gzipSync(await this.page.content()).length;
    const links = await this.page.evaluate(() => [...document.querySelectorAll('link[rel=stylesheet], script[src]')].map((one) => one.href || one.src));
    let all = own;
    for (const link of links) {
      if (!assets.has(link)) assets.set(link, gzipSync(await (await this.page.request.get(link)).body()).length);
      all += assets.get(link);
    }
    return [own, all];
  }

  /** A picture of the page as it is. */
  async picture(name, fullPage = true) {
    if (DRAWS) await this.page.screenshot({ path: `${shots}/${name}.png`, fullPage });
  }
}

const looks = [];

/** Everything that was found unfit. */
export const unfit = () => looks;

/** Somebody with the simplest of phones votes: forms alone, nothing is drawn. */
export async function voteByForms(phone, vote, choice) {
  const own = await request.newContext({ baseURL: base, extraHTTPHeaders: { origin: base, accept: 'text/html' } });
  const post = async (path, form) => (await own.post(path, { form })).text();
  const asked = await post('/login/code', { phone, then: `/votes/${vote}` });
  const login_id = asked.match(/name="login_id" value="([^"]+)"/)[1];
  const open = await post('/login', { login_id, phone, code: await ask(`code ${phone}`), then: `/votes/${vote}` });
  if (!open.includes(`/votes/${vote}/confirm`)) throw new Error(`${phone} cannot vote: ${open}`);
  const sure = await post(`/votes/${vote}/confirm`, { choice });
  const taken = await post(`/votes/${vote}/ballots`, { choice, cast_id: sure.match(/name="cast_id" value="([^"]+)"/)[1] });
  if (!taken.includes('您的票已经收到')) throw new Error(`${phone} has no receipt: ${taken}`);
  await own.dispose();
}
