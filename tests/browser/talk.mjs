// What people say to each other: quoted, taken back, reported and found; in a group, in a list, in a letter to the office.
import { strict as assert } from 'node:assert';

/** After a matter has begun: `ids.matter` is talked about. */
export async function talk({ villager, speaker, watcher, clerk, chair, convener, adviser, ids, media }) {
  await discuss(villager, speaker, watcher, chair, ids);
  await letter(villager, clerk, media);
  await group(convener, adviser);
  await find(speaker, villager);
  await report(watcher, chair);
}

const streamOf = (one) => new URL(one.page.url()).pathname;

async function more(one, words) {
  const entry = one.page.locator('.said').filter({ hasText: words }).last();
  await one.moving(() => entry.getByRole('link', { name: '回复、更多' }).click());
  await one.check();
}

/** Quotes, and what is taken back, on a page that stays open elsewhere. */
async function discuss(villager, speaker, watcher, chair, ids) {
  const say = `/matters/${ids.matter}/messages`;
  // who only looks on and has said nothing: the page follows all the same
  await watcher.go(`/matters/${ids.matter}`);
  await watcher.page.waitForFunction(() => document.documentElement.dataset.live === 'on');
  await villager.go(`/matters/${ids.matter}`);
  await villager.fill(say, { text: '灯杆别挡着晒谷场。', side: '补充情况' });
  await watcher.sees('灯杆别挡着晒谷场');
  await speaker.go(`/matters/${ids.matter}`);
  await speaker.sees('灯杆别挡着晒谷场');
  await more(speaker, '灯杆别挡着晒谷场');
  await speaker.sees('回复这条', '已读');
  await speaker.look('message');
  await speaker.follow('回复这条');
  await speaker.sees('灯杆别挡着晒谷场');
  const stream = streamOf(speaker);
  await speaker.look('reply');
  await speaker.fill(`${stream}/messages`, { text: '对，往东挪两米。说错了吗' });
  await speaker.page.waitForFunction(() => document.documentElement.dataset.live === 'on');
  await villager.go(stream);
  assert.equal(await villager.page.locator('.said').filter({ hasText: '往东挪两米' }).locator('blockquote').innerText(), '费**：灯杆别挡着晒谷场。');
  // whoever writes keeps the page as it is, but for what is taken back
  await watcher.go(stream);
  await watcher.page.waitForFunction(() => document.documentElement.dataset.live === 'on');
  const words = watcher.page.locator('#say textarea');
  await words.pressSequentially('我正在写');
  await more(speaker, '往东挪两米');
  await speaker.fill(`${streamOf(speaker)}/recall`);
  await speaker.sees('我撤回了一条消息');
  await watcher.page.locator('.said').filter({ hasText: '往东挪两米' }).waitFor({ state: 'detached', timeout: 5000 });
  assert.equal(await words.inputValue(), '我正在写');
  await villager.go(stream);
  await villager.sees('撤回了一条消息');
  await villager.lacks('往东挪两米');
  // what leads: on top for everybody, and taken away with a reason
  await chair.go(stream);
  await more(chair, '灯杆别挡着晒谷场');
  await chair.fill(`${streamOf(chair)}/pin`);
  await speaker.sees('置顶');
  await speaker.look('talk');
}

async function letter(villager, clerk, media) {
  await villager.go('/');
  await villager.moving(() => villager.page.getByRole('button', { name: '找村委会说话' }).click());
  await villager.check();
  await villager.sees('东衡村村民委员会', '说一句');
  const stream = streamOf(villager);
  await villager.fill(`${stream}/messages`, { text: '', photos: media('clear.png') });
  await villager.fill(`${stream}/messages`, { text: '这是晒谷场的照片。' });
  await villager.picture('letter-no-script');
  await clerk.go('/desk/letters');
  await clerk.sees('费**', '有新话');
  await clerk.picture('desk-letters');
  await clerk.follow('费**');
  await clerk.sees('这是晒谷场的照片');
  assert.equal(await clerk.page.locator('.said .photos img').count(), 1);
  await clerk.fill(`${stream}/messages`, { text: '收到，下午去看。' });
  await villager.go(stream);
  await villager.sees('东衡村村民委员会 姚志刚', '下午去看');
}

/** A group with a list that two people add a row to. */
async function group(convener, adviser) {
  await convener.go('/');
  await convener.follow('建群');
  await convener.look('group-new');
  await convener.fill('/groups/new', { title: '灯会小组', people: '没有这个人' }, { refused: true });
  await convener.sees('这个人不在册');
  await convener.fill('/groups/new', { title: '灯会小组', person_id: ['俞晓东'], people: '欧阳水根' });
  await convener.sees('灯会小组', '进了群');
  const stream = streamOf(convener);
  await convener.look('group');
  await convener.follow('发起接龙');
  await convener.look('chain-new');
  await convener.fill(`${stream}/chains`, { title: '谁来搭台', example: '周六上午', max_rows: '3' });
  await convener.sees('还没有人接龙');
  const chain = streamOf(convener);
  await adviser.go('/');
  await adviser.follow('灯会小组');
  await adviser.sees('接龙：已有 0 人');
  await adviser.follow('谁来搭台');
  await adviser.fill(`${chain}/row`, { text: '周六上午', quantity: '2' });
  await adviser.sees('已有 1 人，最多 3 人', '俞**');
  await convener.sees('俞**');
  await convener.look('chain');
  await convener.fill(`${chain}/close`);
  await convener.sees('已经结束');
  await adviser.go(`${stream}/options`);
  await adviser.sees('一共 3 人', '群主');
  await adviser.look('options');
  await adviser.fill(`${stream}/options`, { mute: '都不提醒', is_pinned: '放在列表最上面' });
  await adviser.go('/');
  await adviser.look('home-kept');
}

async function find(speaker, villager) {
  await speaker.go('/');
  await speaker.follow('找一找');
  await speaker.look('search');
  await speaker.fill('/search', { text: '晒谷' });
  await speaker.sees('灯杆别挡着晒谷场');
  await speaker.look('search-found');
  await villager.go('/search');
  await villager.fill('/search', { text: '东挪' });
  await villager.sees('没有找到');
}

async function report(watcher, chair) {
  await watcher.go('/search');
  await watcher.fill('/search', { text: '晒谷' });
  // nothing said yet, but it is a discussion of the own village
  await watcher.sees('灯杆别挡着晒谷场');
  await chair.go('/desk/reports');
  await chair.sees('没有等着处理的举报');
  await chair.picture('desk-reports');
}
