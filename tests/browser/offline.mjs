// Without a network the page 我要说 opens by its address on a phone that was here before, and what is written there comes to the
// village once, in its writer's name; what the phone keeps for that is nobody's, and in no way of a network that answers.
// usage: node offline.mjs BASE FOLDER_FOR_PICTURES; asks for `code PHONE` and `voices NUMBER`, answered by "voices files".
import { strict as assert } from 'node:assert';
import { fileURLToPath } from 'node:url';
import { tunnel } from './tunnel.mjs';

const AUTHOR = '00010', NEIGHBOUR = '00031';
const PHOTO = fileURLToPath(new URL('../data/media/clear.png', import.meta.url));
const KEPT = /留在这部手机上了/;

const net = await tunnel(process.argv[2]);
process.argv[2] = net.url;
const { ask, leave, person, unfit } = await import('./pages.mjs');

const author = await person('欧阳水根', '19500000010');
const context = author.page.context();
const faults = [];
const voices = (of = AUTHOR) => ask(`voices ${of}`);
const isOffline = (at) => at.locator('section[role="status"]').filter({ hasText: '没有网络' }).waitFor();
const isShown = (at) => at.locator('[data-keep]:not([hidden])').waitFor();
const field = (at, name) => at.locator(`form[action="/speak"] [name="${name}"]`);
const says = (at, words) => at.locator('[data-keep-says]').filter({ hasText: words }).waitFor();
const send = (at) => at.getByRole('button', { name: '送出', exact: true }).click();

try {
  await author.login('/');
  await ready(author.page);
  await author.go('/offline');
  await author.look('offline');
  assert.deepEqual(unfit(), []);
  await author.page.close();
  const tests = { byAddress, staysOpen, withPhoto, aboutSomebody, doors, slow, nothingOfAnybody, replaced, anothers, loggedOut, thrownAway };
  for (const [name, test] of Object.entries(tests)) {
    await test();
    console.log(`${name}: ok`);
  }
  assert.deepEqual(faults, []);
} finally {
  await leave();
  net.end();
  process.stdin.destroy();
}

async function open(path = '/speak') {
  const at = await context.newPage();
  at.setDefaultTimeout(40_000);
  at.on('pageerror', (error) => faults.push(String(error)));
  await at.goto(net.url + path, { waitUntil: 'commit' });
  return at;
}

/** The worker has what it keeps. */
async function ready(at) {
  await at.evaluate(() => navigator.serviceWorker.ready.then(() => true));
}

/** `knows: false`: only the way is broken, and the phone believes that there is a network. */
async function cut({ knows = true } = {}) {
  net.down();
  await context.setOffline(knows);
}

async function mend() {
  net.up();
  await context.setOffline(false);
}

function drafts(at) {
  return at.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('liusheng-draft-')).length);
}

/** The page of the phone, ready to be written on. */
async function written(text) {
  const at = await open();
  await isOffline(at);
  await isShown(at);
  if (text) await field(at, 'text').fill(text);
  return at;
}

/** One cannot write here, nor read what anybody wrote. */
async function isNobodys(at) {
  await at.locator('[data-offline="nobody"]:not([hidden])').waitFor();
  assert.ok(await at.locator('form[action="/speak"]').isHidden());
  assert.equal(await field(at, 'text').inputValue(), '');
}

async function arrives(at, left = 0) {
  await at.waitForURL(/\/suggestions\//);
  await at.waitForLoadState();
  assert.equal(await drafts(at), left, 'nothing of it stays on the phone');
}

async function byAddress() {
  await cut({ knows: false });
  const at = await written('桥头的灯不亮。');
  await field(at, 'place').fill('桥头');
  await send(at);
  await says(at, KEPT);
  await at.close();
  // the phone believes that there is a network, and tries again at once
  const again = await written();
  await says(again, KEPT);
  assert.equal(await field(again, 'text').inputValue(), '桥头的灯不亮。');
  await again.close();
  assert.equal(await voices(), '0 0');
  await mend();
  const next = await open();
  await arrives(next);
  const text = await next.locator('main').innerText();
  for (const words of ['桥头的灯不亮', '桥头']) assert.ok(text.includes(words), text);
  assert.equal(await voices(), '1 0');
  await next.close();
}

/** The page of the phone sends by itself, and another one that is opened meanwhile does not send once more. */
async function staysOpen() {
  await cut();
  const at = await written('水管漏了。');
  await send(at);
  await says(at, KEPT);
  await mend();
  const other = await open();
  const isSettled = () => !Object.keys(localStorage).some((name) => name.startsWith('liusheng-draft-'));
  await Promise.all([at, other].map((one) => one.waitForFunction(isSettled)));
  await at.waitForTimeout(1000);
  assert.equal(await voices(), '2 0', 'one voice of two pages');
  await at.close();
  await other.close();
}

async function withPhoto() {
  await cut();
  const at = await written('路面裂了，见照片。');
  await field(at, 'photos').setInputFiles(PHOTO);
  await at.waitForFunction(() => Object.keys(localStorage).some((name) => (JSON.parse(localStorage[name]) || {}).files === 1));
  await send(at);
  await says(at, KEPT);
  await mend();
  await arrives(at);
  assert.equal(await voices(), '3 1');
  await at.close();
}

/** Whom a complaint is about is not lost on a page that cannot show it: it would be theirs to handle. */
async function aboutSomebody() {
  const online = await open();
  await isShown(online);
  await field(online, 'text').fill('账目没有公开。');
  const whom = await field(online, 'about_person_id').locator('option').nth(1).getAttribute('value');
  assert.ok(whom);
  await field(online, 'about_person_id').selectOption(whom);
  await online.close();
  await cut();
  const at = await written();
  await field(at, 'text').fill('账目还是没有公开。');
  const goes = () => at.evaluate(() => new FormData(document.querySelector('form')).get('about_person_id'));
  assert.equal(await goes(), whom);
  await at.reload({ waitUntil: 'commit' });
  await isShown(at);
  assert.equal(await goes(), whom, 'after a change, too');
  await send(at);
  await says(at, KEPT);
  await mend();
  await arrives(at);
  assert.equal(await voices(), '4 1');
  await at.close();
}

/** The home page leads there; of anything else the phone keeps nothing. */
async function doors() {
  await cut();
  const at = await open('/');
  await isOffline(at);
  assert.ok(await at.locator('form[action="/speak"]').isHidden());
  await at.getByRole('link', { name: '先把想说的写下来' }).click();
  await at.waitForURL(`${net.url}/speak`);
  await isShown(at);
  await at.close();
  for (const path of ['/notices', '/suggestions', '/desk', '/v1/me']) await assert.rejects(open(path), path);
  await mend();
  const home = await open('/');
  await home.locator('form[action="/logout"]').waitFor();
  assert.equal(await home.locator('[data-offline]').count(), 0, 'with a network it is the page of the server');
  await home.close();
}

/** A network that swallows everything is none. */
async function slow() {
  net.isDeaf = true;
  const began = Date.now();
  const at = await written();
  assert.ok(Date.now() - began > 7000, 'it waits a little');
  await at.close();
  net.isDeaf = false;
  net.down();
  net.up();
}

async function nothingOfAnybody() {
  const at = await open('/');
  await at.waitForLoadState();
  const kept = await at.evaluate(async () => {
    const found = [];
    for (const name of await caches.keys()) {
      const all = await caches.open(name);
      for (const asked of await all.keys()) found.push([new URL(asked.url).pathname, await (await all.match(asked)).text()]);
    }
    return found;
  });
  const own = [kept.filter(([path]) => path === '/offline').length, kept.filter(([path]) => path.startsWith('/assets/')).length];
  assert.ok(own[0] === 1 && own[1] > 6 && own[0] + own[1] === kept.length, JSON.stringify(kept.map(([path]) => path)));
  const writer = (await context.cookies()).find((one) => one.name === 'ls_writer').value;
  for (const [path, text] of kept) for (const secret of ['欧阳', writer]) assert.ok(!text.includes(secret), `${path}: ${secret}`);
  await at.close();
}

/** What another version kept goes as soon as a new one is there, with a page of the former still open. */
async function replaced() {
  const at = await open('/');
  await ready(at);
  await at.evaluate(async () => {
    await caches.open('liusheng-older');
    await navigator.serviceWorker.register('/worker.js?newer');
  });
  await at.waitForFunction(async () => /^liusheng-[0-9a-f]{16}$/.test((await caches.keys()).join()));
  await at.close();
}

/** Another logs in on this phone where the first did not log out, and has seen no page yet that could be written on. */
async function anothers() {
  await cut();
  const first = await written('这是我说的。');
  await send(first);
  await says(first, KEPT);
  await first.close();
  await mend();
  const mine = await context.cookies();
  await context.clearCookies({ name: 'ls_session' });
  author.page = await context.newPage();
  author.phone = '19500000031';
  await author.login('/suggestions');
  await author.page.close();

  await cut();
  const unknown = await open();
  await isNobodys(unknown);
  assert.equal(await drafts(unknown), 1, 'it waits for its writer');
  await unknown.close();
  await mend();
  const home = await open('/');
  await home.waitForLoadState();
  assert.ok(await home.locator('[data-keep-left]').isHidden());
  await home.close();

  await cut();
  const theirs = await written();
  assert.equal(await field(theirs, 'text').inputValue(), '', 'another sees nothing of it');
  await field(theirs, 'text').fill('这是邻居说的。');
  await send(theirs);
  await says(theirs, KEPT);
  assert.equal(await drafts(theirs), 2);
  await mend();
  await arrives(theirs, 1);
  assert.deepEqual([await voices(), await voices(NEIGHBOUR)], ['4 1', '1 0']);
  assert.ok((await theirs.locator('main').innerText()).includes('这是邻居说的'));
  await theirs.close();

  await context.clearCookies();
  await context.addCookies(mine);
  const next = await open();
  await arrives(next);
  assert.ok((await next.locator('main').innerText()).includes('这是我说的'));
  assert.deepEqual([await voices(), await voices(NEIGHBOUR)], ['5 1', '1 0']);
  await next.close();
}

async function loggedOut() {
  await cut();
  const at = await written('退出以前写的。');
  await at.close();
  await mend();
  const home = await open('/');
  await home.locator('form[action="/logout"] button').click();
  await home.locator('form[action="/logout"]').waitFor({ state: 'detached' });
  assert.equal(await drafts(home), 0);
  await home.close();
  await cut();
  const next = await open();
  await isNobodys(next);
  await next.close();
  await mend();
}

/** A phone that ran out of room keeps nothing of it any more: a slow network is then waited for. */
async function thrownAway() {
  const at = await open('/');
  await ready(at);
  await at.evaluate(async () => {
    for (const name of await caches.keys()) await caches.delete(name);
  });
  await at.close();
  // longer than the worker waits, shorter than the server waits for a head
  net.lag = 8_800;
  const began = Date.now();
  const home = await open('/');
  assert.ok(Date.now() - began > 8500, 'it was slow');
  assert.equal(await home.locator('section[role="status"]').filter({ hasText: '没有网络' }).count(), 0);
  net.lag = 0;
  await home.close();
}
