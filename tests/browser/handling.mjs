// One voice and many hands: asked for their part, passed on, given more days, taken down, routed; each by the pages alone.
// usage: node handling.mjs BASE FOLDER_FOR_PICTURES; asks for `code PHONE` and `pass HOURS` on its output.
import { strict as assert } from 'node:assert';
import { leave, pass, person, unfit } from './pages.mjs';

const VILLAGE = '330521103202';
const TOWN = '洛舍镇人民政府';
const COUNTY = '德清县民政局';
const WORDS = '老桥的桥墩裂了一道缝。';
const phone = (number) => `195000000${number}`;

const author = await person('欧阳水根', phone('10'));
const clerk = await person('文书姚志刚', phone('04'), { desk: true });
const town = await person('镇里邻村甲', '19510000001', { desk: true });
const operator = await person('县级运维邻村丙', '19510000003', { desk: true });
const stranger = await person('路人');
let own;

try {
  for (const chapter of [speak, involve, passOn, extend, answer, takeDown, route, late]) await chapter();
  assert.deepEqual(unfit(), [], unfit().join('\n'));
} finally {
  await leave();
  process.stdin.destroy();
}

async function speak() {
  await author.login('/speak');
  await author.look('speak-about');
  await author.fill('/speak', { kind: '求助', category: '道路桥梁', text: WORDS, place: '老桥', visibility: '只有办事的人能看' });
  await author.sees(WORDS, '收到', '由东衡村村民委员会办理');
  own = new URL(author.page.url()).pathname;
}

async function involve() {
  await clerk.login('/desk');
  await clerk.go(`/desk${own}`);
  await clerk.fill('accept');
  await clerk.fill('involve', { body_id: TOWN }, { refused: true });
  await clerk.sees('这里要填');
  await clerk.fill('involve', { body_id: TOWN, task: '请派人测一测老桥的裂缝。' });
  await clerk.sees('协办', '等对方答复', '请派人测一测老桥的裂缝');
  await clerk.picture('desk-assist-asked');
  await town.login('/desk');
  await town.sees('请这里协办');
  await town.picture('desk-todo-asked');
  await town.go('/desk/referrals');
  await town.sees('请派人测一测老桥的裂缝', '东衡村村民委员会');
  await town.lacks(WORDS, '欧阳水根');
  await town.picture('desk-assists');
  await town.fill('/desk/referrals/assist', { text: '测过了，缝宽两毫米，暂时能走人。' });
  await town.lacks('请派人测一测老桥的裂缝');
}

async function passOn() {
  await clerk.go(`/desk${own}`);
  await clerk.sees('缝宽两毫米');
  await clerk.fill('refer', { body_id: TOWN, reason: '老桥归镇里管。' });
  await clerk.sees('等对方答复', '不转了，自己办');
  await town.go('/desk');
  await town.sees('接不接，要答复');
  await town.go('/desk/referrals');
  await town.sees('老桥归镇里管', '接下来办');
  await town.lacks(WORDS);
  await town.picture('desk-referrals');
  await town.fill('/desk/referrals/refuse', { next_body_id: COUNTY, reason: '国道上的桥归县里。' });
  await clerk.go(`/desk${own}`);
  await clerk.sees('对方没有接', '国道上的桥归县里', `认为该由${COUNTY}办`);
}

async function extend() {
  await clerk.fill('extend', { reason: '要等专家来看。' });
  await clerk.sees('等上级批复');
  await town.go('/desk/referrals');
  await town.sees('申请延期', '要等专家来看');
  await town.picture('desk-extensions');
  await town.fill('/desk/referrals/extension', { approve: '批准', reason: '同意，抓紧。' });
  await clerk.go(`/desk${own}`);
  await clerk.sees('已批准', '同意，抓紧');
}

async function answer() {
  await author.go(own);
  await author.sees('协办', '缝宽两毫米', '转办经过', '国道上的桥归县里', '延期', '同意，抓紧');
  await author.look('suggestion-many-hands');
  await clerk.fill('answer', { text: '镇里测过了，已经围起来，下周修。' });
  await clerk.picture('desk-suggestion-many-hands');
  await author.go(own);
  await author.sees('镇里测过了，已经围起来，下周修');
}

/** Somebody without a phone in the office: the clerk writes it down, and it shows who did. */
async function takeDown() {
  await clerk.go('/desk/guest');
  await clerk.fill('guest', { kind: '求助', text: '家里的水管爆了。', place: '三组', name: '俞美娟', number: '99999' }, { refused: true });
  await clerk.sees('这个村的名册上没有这个编号和姓名');
  await clerk.fill('guest', { category: '水电气', number: '00008' });
  await clerk.sees('取件码');
  await clerk.picture('desk-taken-down');
}

async function late() {
  await pass(24 * 5);
  await operator.go('/desk/county/overdue');
  await operator.sees('超期的留言（2）');
  await operator.lacks('水管爆了', '俞美娟');
  await operator.picture('county-overdue');
  await stranger.go(`/figures?area=${VILLAGE}`);
  await stranger.look('figures');
}

async function route() {
  await operator.login(`/desk/county/routes?area=${VILLAGE}`);
  await operator.sees('村委会（未指定）');
  await operator.fill('road', { body_id: TOWN });
  await operator.sees('东衡村的指定');
  await operator.picture('county-routes');
  await author.go('/speak');
  await author.fill('/speak', { kind: '建议', category: '道路桥梁', text: '路口装一面镜子。', visibility: '只有办事的人能看' });
  await author.sees(`由${TOWN}办理`);
}
