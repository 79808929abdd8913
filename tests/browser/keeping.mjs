// What is written where there is no network is kept on the phone and comes to the village once: offline, with a page that was
// closed, with an answer that nobody heard, on two pages at once, on a phone of several people. In a browser without workers, as
// WeChat's may be: without a network it opens no page.
// usage: node keeping.mjs BASE FOLDER_FOR_PICTURES; asks for `code PHONE` and `voices NUMBER`, answered by "voices files".
import { strict as assert } from 'node:assert';
import { fileURLToPath } from 'node:url';
import { tunnel } from './tunnel.mjs';

const AUTHOR = '00010', NEIGHBOUR = '00031';
const PHOTO = fileURLToPath(new URL('../data/media/clear.png', import.meta.url));
const KEPT = /留在这部手机上了/;

const net = await tunnel(process.argv[2]);
process.argv[2] = net.url;
const { ask, leave, person } = await import('./pages.mjs');

const author = await person('欧阳水根', '19500000010', { workers: false });
const context = author.page.context();
const faults = [], addresses = [], neighbours = [];
const voices = (of = AUTHOR) => ask(`voices ${of}`);

try {
  await author.login('/');
  await author.page.close();
  const tests = { offline, waiting, unsent, unheard, unheardWithPhoto, photo, twoPages, changed, anothers, unwanted, loggedOut };
  for (const [name, test] of Object.entries(tests)) {
    await test();
    console.log(`${name}: ok`);
  }
  assert.deepEqual(faults, []);
  const told = addresses.filter((address) => /19500000010|晒谷场|清单|%E6|draft/i.test(address));
  assert.deepEqual(told, [], 'nothing of it is in an address');
} finally {
  await leave();
  net.end();
  process.stdin.destroy();
}

async function open(path = '/speak') {
  const at = await context.newPage();
  at.setDefaultTimeout(40_000);
  at.on('pageerror', (error) => faults.push(String(error)));
  at.on('request', (asked) => addresses.push(asked.url()));
  await at.goto(net.url + path, { waitUntil: 'commit' });
  return at;
}

/** A page on which the script has begun. */
async function written(text) {
  const at = await open();
  await at.locator('[data-keep]:not([hidden])').waitFor();
  if (text) await field(at, 'text').fill(text);
  return at;
}

function field(at, name) { return at.locator(`form[action="/speak"] [name="${name}"]`); }

function drafts(at) {
  return at.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('liusheng-draft-')).length);
}

/** How many people's files lie on the phone. */
function packs(at) {
  return at.evaluate(() => new Promise((resolve, reject) => {
    const opening = indexedDB.open('liusheng', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('files');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const counting = opening.result.transaction('files').objectStore('files').count();
      counting.onsuccess = () => { opening.result.close(); resolve(counting.result); };
    };
  }));
}

async function says(at, words) { await at.locator('[data-keep-says]').filter({ hasText: words }).waitFor(); }

async function send(at) { await at.getByRole('button', { name: '送出', exact: true }).click(); }

async function choosePhoto(at) {
  await field(at, 'photos').setInputFiles(PHOTO);
  for (let tries = 0; (await packs(at)) !== 1; tries += 1) {
    assert.ok(tries < 100, 'the photo is kept');
    await at.waitForTimeout(100);
  }
}

/** The voice came: its own page, or the list where the phone only knows that it came. */
async function arrives(at, where = /\/suggestions\//) {
  await at.waitForURL(where);
  await at.waitForLoadState();
  assert.deepEqual([await drafts(at), await packs(at)], [0, 0], 'nothing stays on the phone');
}

async function offline() {
  const at = await written();
  await context.setOffline(true);
  await field(at, 'text').fill('晒谷场的灯坏了。');
  await field(at, 'place').fill('三组晒谷场');
  await at.locator('label.choice:has([name="kind"])').filter({ hasText: '建议' }).click();
  await send(at);
  await says(at, KEPT);
  await at.close();
  await assert.rejects(open(), 'there is no network');
  assert.equal(await voices(), '0 0');
  await context.setOffline(false);
  const next = await open();
  await arrives(next);
  const text = await next.locator('main').innerText();
  for (const words of ['晒谷场的灯坏了', '三组晒谷场', '建议']) assert.ok(text.includes(words), `${words}: ${text}`);
  assert.equal(await voices(), '1 0');
  await next.close();
}

/** The page is still open when the network is back. */
async function waiting() {
  const at = await written('码头的台阶松了。');
  await context.setOffline(true);
  await send(at);
  await says(at, KEPT);
  await context.setOffline(false);
  await arrives(at);
  assert.equal(await voices(), '2 0');
  await at.close();
}

/** What nobody meant to send yet is there again, for who wrote it alone, until it is thrown away. */
async function unsent() {
  const first = await written('还没想好怎么说。');
  await first.close();
  const mine = await context.cookies();
  const other = await person('臧志刚', '19500000031', { workers: false });
  await other.login('/');
  neighbours.push(...(await other.page.context().cookies()));
  await context.clearCookies();
  await context.addCookies(neighbours);
  const theirs = await written();
  assert.equal(await field(theirs, 'text').inputValue(), '', 'another of the same phone');
  await theirs.goto(`${net.url}/`);
  assert.ok(await theirs.locator('[data-keep-left]').isHidden());
  await theirs.close();
  await other.page.context().close();
  await context.clearCookies();
  await context.addCookies(mine);
  const home = await open('/');
  await home.locator('[data-keep-left]').click();
  await says(home, '上次写了');
  assert.equal(await field(home, 'text').inputValue(), '还没想好怎么说。');
  assert.equal(await voices(), '2 0', 'not sent by itself');
  home.once('dialog', (sure) => sure.accept());
  await home.getByRole('button', { name: '不说了' }).click();
  await home.waitForFunction(() => document.querySelector('textarea').value === '' && !document.querySelector('[data-keep]').hidden);
  assert.equal(await drafts(home), 0);
  await home.close();
}

/** The server has it, the phone never hears so. */
async function unheard() {
  const at = await written('水沟堵了。');
  net.unheard = 'POST /speak ';
  await send(at);
  await says(at, KEPT);
  assert.ok(net.lost > 0, 'an answer was lost');
  assert.equal(await voices(), '3 0', 'it had come');
  await at.close();
  net.unheard = '';
  const next = await open();
  await arrives(next);
  assert.ok((await next.locator('main').innerText()).includes('水沟堵了'), 'the same voice');
  assert.equal(await voices(), '3 0', 'and came once');
  await next.close();
}

/** The same with a photo, which is sent anew: by other ids, so that the server only says that the voice is there. */
async function unheardWithPhoto() {
  const at = await written('桥墩裂了。');
  await choosePhoto(at);
  net.unheard = 'POST /speak ';
  await send(at);
  await says(at, KEPT);
  assert.equal(await voices(), '4 1');
  await at.close();
  net.unheard = '';
  const next = await open();
  await arrives(next, /\/suggestions$/);
  assert.equal(await voices(), '4 1');
  await next.close();
}

async function photo() {
  const at = await written();
  await choosePhoto(at);
  await context.setOffline(true);
  await field(at, 'text').fill('路牌倒了，见照片。');
  await send(at);
  await says(at, KEPT);
  await at.close();
  await context.setOffline(false);
  const next = await open();
  await arrives(next);
  assert.equal(await voices(), '5 2', 'with its photo');
  await next.close();
}

async function twoPages() {
  const at = await written('两页一起开。');
  await context.setOffline(true);
  await send(at);
  await says(at, KEPT);
  await at.close();
  await context.setOffline(false);
  const pages = await Promise.all([open(), open()]);
  const isSettled = () => !Object.keys(localStorage).some((name) => name.startsWith('liusheng-draft-'));
  await Promise.all(pages.map((one) => one.waitForFunction(isSettled)));
  await pages[0].waitForTimeout(1000);
  assert.equal(await voices(), '6 2', 'one voice of two pages');
  for (const one of pages) await one.close();
}

/** Other words after a try that was not heard are no second try: the page says what came, and asks. */
async function changed() {
  const at = await written('井盖松了。');
  net.unheard = 'POST /speak ';
  await send(at);
  await says(at, KEPT);
  assert.equal(await voices(), '7 2');
  net.unheard = '';
  await field(at, 'text').fill('井盖没了！');
  await send(at);
  await at.locator('.problem').filter({ hasText: '已经送到了' }).waitFor();
  assert.equal(await field(at, 'text').inputValue(), '井盖没了！', 'nothing that was typed is lost');
  assert.equal(await voices(), '7 2');
  await at.locator('[data-keep]:not([hidden])').waitFor();
  await send(at);
  await arrives(at);
  assert.equal(await voices(), '8 2', 'asked for once more, it is another');
  await at.close();
}

/** Somebody else logged in meanwhile: the open page sends nothing in that name, and what waits is still its writer's. */
async function anothers() {
  const at = await written('这是我说的。');
  await context.setOffline(true);
  await send(at);
  await says(at, KEPT);
  const mine = await context.cookies();
  await context.clearCookies();
  await context.addCookies(neighbours);
  await context.setOffline(false);
  await at.waitForURL(`${net.url}/`);
  assert.ok(await at.locator('[data-keep-left]').isHidden());
  await at.close();
  await context.clearCookies();
  await context.addCookies(mine);
  assert.deepEqual([await voices(), await voices(NEIGHBOUR)], ['8 2', '0 0']);
  const next = await open();
  await arrives(next);
  assert.deepEqual([await voices(), await voices(NEIGHBOUR)], ['9 2', '0 0']);
  await next.close();
}

/** Whoever does not want it on the phone has nothing there, and is asked for no second time. */
async function unwanted() {
  const at = await written('只说给干部听。');
  const tick = (page) => page.locator('label.choice:has([data-keep-choice])');
  assert.equal(await drafts(at), 1);
  await tick(at).click();
  assert.equal(await drafts(at), 0);
  await field(at, 'text').fill('只说给干部听，别留。');
  assert.equal(await drafts(at), 0);
  await context.setOffline(true);
  await send(at);
  await says(at, '手机上也没有留');
  await at.close();
  await context.setOffline(false);
  const next = await written();
  assert.equal(await field(next, 'text').inputValue(), '');
  assert.equal(await next.locator('[data-keep-choice]').isChecked(), false);
  await tick(next).click();
  assert.equal(await voices(), '9 2');
  await next.close();
}

async function loggedOut() {
  const at = await written('退出以前写的。');
  await choosePhoto(at);
  assert.equal(await drafts(at), 1);
  await at.goto(`${net.url}/`);
  await at.locator('form[action="/logout"] button').click();
  await at.locator('form[action="/logout"]').waitFor({ state: 'detached' });
  assert.deepEqual([await drafts(at), await packs(at)], [0, 0]);
}
