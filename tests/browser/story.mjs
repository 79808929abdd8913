// A dark bridge: what villagers, their committee and their council do about it, by the pages alone.
// usage: node story.mjs BASE FOLDER_FOR_PICTURES; asks for `code PHONE` and `pass HOURS` on its output.
import { strict as assert } from 'node:assert';
import { fileURLToPath } from 'node:url';
import { leave, pass, person, unfit, voteByForms } from './pages.mjs';
import { talk } from './talk.mjs';

const media = (name) => fileURLToPath(new URL(`../data/media/${name}`, import.meta.url));
const phone = (number) => `195000000${number}`;
const TITLE = '桥头装路灯';
const SUMMARY = '桥头晚上太黑，装三盏太阳能路灯，大约花六千元。';
const QUESTION = '是否同意在桥头装三盏路灯？';
const ids = {};
const idOf = (one) => new URL(one.page.url()).pathname.split('/').pop();

const villager = await person('费海荣（没有脚本）', phone('07'), { scripts: false });
const speaker = await person('欧阳水根', phone('10'));
const watcher = await person('臧志刚', phone('31'));
const objector = await person('嵇国强', phone('49'));
const clerk = await person('文书姚志刚', phone('04'), { desk: true });
const chair = await person('主任章建明', phone('01'), { desk: true });
const convener = await person('参事会长施金泉', phone('13'), { desk: true });
const adviser = await person('参事俞晓东', phone('22'), { desk: true });
const branch = await person('支书邱国强', phone('25'), { desk: true });
const supervisor = await person('监委主任闵建明', phone('28'), { desk: true });
const operator = await person('县级运维邻村丙', '19510000003', { desk: true });
const stranger = await person('路人');

const began = Date.now();
const chapters = { strangers, speak, answer, raise, survey, deliberate, publicise, talk: () => talk({ villager, speaker, watcher, clerk, chair, convener, adviser, ids, media }), object, review, call, vote, result, carryOut, rate, close, record, operate };
try {
  for (const [name, chapter] of Object.entries(chapters)) {
    await chapter();
    console.log(`${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  }
  assert.deepEqual(unfit(), [], unfit().join('\n'));
} finally {
  await leave();
  process.stdin.destroy();
}

async function strangers() {
  await stranger.go('/');
  await stranger.sees('登录', '长辈版', '隐私说明', '现在没有公示。');
  await stranger.look('home-public');
  await stranger.go('/privacy');
  await stranger.look('privacy');
  // who must be signed in is led to the log-in, and back
  await stranger.go('/speak');
  await stranger.sees('手机号', '发验证码');
  await stranger.look('login-phone');
  await stranger.fill('/login/code', { phone: '123' }, { refused: true });
  await stranger.sees('手机号');
  await stranger.look('login-refused');
  const shared = await person('钱一芳', phone('52'));
  await shared.go('/login');
  await shared.fill('/login/code', { phone: shared.phone });
  await shared.sees('195****0052');
  await shared.look('login-code');
  await shared.code();
  await shared.sees('您是哪一位');
  await shared.look('login-who');
  await shared.fill('/login', { person_id: '钱' });
  await shared.sees('东衡村', '我要说');
  await shared.page.context().close();
}

async function speak() {
  await villager.login('/speak');
  await villager.fill('/speak', {
    kind: '求助', text: '桥头的路灯坏了，晚上看不见路。', place: '桥头', visibility: '全村都能看',
    photos: media('gps-sideways.jpg'), voice: media('lamp.m4a'),
  });
  await villager.sees('桥头的路灯坏了', '听一听', '3 秒', '收到', '地点：桥头', '由东衡村村民委员会办理');
  ids.first = idOf(villager);
  const clip = await villager.page.request.get(await villager.page.locator('a.voice[href^="/v1/media"]').getAttribute('href'));
  assert.equal(clip.status(), 200);
  assert.ok(await villager.page.locator('.photos img').evaluate((one) => one.decode().then(() => one.naturalWidth > 0)), 'the photo is shown');
  await villager.picture('suggestion-no-script');

  await speaker.login('/');
  await speaker.sees('东衡村', '我要说', '村里事', '去投票');
  await speaker.follow('我要说');
  await speaker.look('speak');
  await speaker.fill('/speak', { visibility: '全村都能看' }, { refused: true });
  await speaker.look('speak-refused');
  await recordClip(speaker);
  const send = await speaker.page.locator('.send button').boundingBox();
  assert.ok(send.y > 0 && send.y + send.height <= 844, `what sends it is in sight: ${JSON.stringify(send)}`);
  await speaker.fill('/speak', { kind: '建议', visibility: '全村都能看' });
  await speaker.sees('听一听', '收到');
  ids.second = idOf(speaker);
  await speaker.look('suggestion');

  await watcher.login('/speak');
  await watcher.page.setInputFiles('#photos', media('clear.png'));
  await watcher.page.waitForSelector('[data-chosen] img');
  await watcher.fill('/speak', { kind: '建议', text: '桥头装太阳能路灯吧，省电。', visibility: '只有办事的人能看', photos: [media('clear.png'), media('lamp.webp')] });
  ids.third = idOf(watcher);
  await watcher.sees('只有办事的人能看');
  assert.equal(await watcher.page.locator('.photos img').count(), 2);
  await meToo();
}

/** What somebody said already is shown before it is said again; whoever means the same says so there. */
async function meToo() {
  await watcher.go('/speak');
  await watcher.fill('/speak', { kind: '求助', text: '桥头路灯坏了好几天', visibility: '全村都能看' });
  await watcher.sees('有人说过差不多的', '晚上看不见路', '不一样，还是要说');
  await watcher.look('speak-similar');
  await watcher.follow('晚上看不见路');
  await watcher.fill(`/suggestions/${ids.first}/cosign`);
  await watcher.sees('1 人说“我也是”', '您说过“我也是”');
  await watcher.look('cosigned');
  await watcher.go('/suggestions?of=village');
  await watcher.sees('村里的留言', '1 人也是');
  await watcher.look('suggestions-village');
}

async function recordClip(who) {
  const mic = who.page.locator('.mic');
  await mic.click();
  await who.sees('正在录音');
  await who.page.waitForTimeout(1600);
  await mic.click();
  await who.sees('重新录');
}

async function answer() {
  // stays open on a phone: what the desk does shows by itself
  await watcher.go('/');
  await watcher.page.waitForFunction(() => document.documentElement.dataset.live === 'on');
  await watcher.page.evaluate(() => { window.loadedOnce = true; });

  await clerk.login('/desk');
  await clerk.sees('待办 3 件', '桥头的路灯坏了');
  await clerk.picture('desk-todo');
  await clerk.go(`/desk/suggestions/${ids.third}`);
  await clerk.sees('这条留言不公开。您这次打开已经记录');
  await clerk.fill('accept');
  // not the red dots: that the own page was read is noted in the background, before or after they were drawn
  await watcher.page.waitForFunction(() => document.querySelector('main').innerText.includes('您的留言已受理'));
  await watcher.sees('您的留言已受理');
  assert.ok(await watcher.page.evaluate(() => window.loadedOnce), 'the page was not loaded again');
  await watcher.look('home');

  await clerk.fill('assign', { person_id: '章建明' });
  await clerk.sees('章建明');
  await clerk.fill('answer', { text: '谢谢。已经请电工看过，太阳能的方案会在村里商量。' });
  await clerk.sees('已经答复');
  await clerk.picture('desk-suggestion');
  for (const one of [ids.first, ids.second]) {
    await clerk.go(`/desk/suggestions/${one}`);
    await clerk.fill('accept');
    await clerk.sees('正在办理');
  }
  await watcher.sees('您说的“桥头装太阳能路灯吧，省电。”有答复了，请打分');
  await watcher.follow('有答复了，请打分');
  await watcher.sees('东衡村村民委员会的答复', '太阳能的方案会在村里商量', '谁看过：1 次');
  await watcher.look('suggestion-answered');
  await watcher.fill(`/suggestions/${ids.third}/rating`, { rating: '4 分', rating_text: '说清楚了。' });
  await watcher.sees('您打了 4 分');
}

async function raise() {
  await clerk.go(`/desk/suggestions/${ids.first}`);
  await clerk.fill('raise', { title: TITLE, summary: SUMMARY });
  ids.matter = idOf(clerk);
  for (const one of [ids.second, ids.third]) {
    await clerk.go(`/desk/suggestions/${one}`);
    await clerk.fill('join', { matter_id: TITLE });
    await clerk.sees('已并入事项', TITLE);
  }
  await clerk.go(`/desk/matters/${ids.matter}`);
  await clerk.sees(TITLE, '并入的留言 3 条', '提事', '民意调查还没有完成');
  await villager.go(`/suggestions/${ids.first}`);
  await villager.sees('您的留言已进入村里议事');
  await villager.follow('已经进入村里议事');
  await villager.sees(TITLE, '3 位村民的留言', '正在进行');
}

async function survey() {
  await clerk.fill('survey');
  await clerk.sees('民意调查', '0 份');
  await speaker.go('/');
  await speaker.sees('请填写：民意调查');
  await speaker.go(`/matters/${ids.matter}`);
  await speaker.sees('这件事您觉得要不要办？', '这一步还差什么');
  await speaker.look('matter');
  const form = await speaker.page.locator('form[action^="/forms/"]').getAttribute('action');
  for (const [one, wish] of [[speaker, '要办'], [watcher, '要办'], [villager, '缓一缓'], [await objector.login(), '不用办']]) {
    await one.go(form);
    if (one === watcher) await watcher.look('form');
    await one.fill(form, { 'q-q1': wish, 'q-q2': '最好三盏。' });
    await one.sees('填过，谢谢');
  }
  await speaker.go(form);
  await speaker.sees('收到 4 份');
  await speaker.look('form-answered');
  await clerk.follow('民意调查');
  await clerk.sees('4 份', '最好三盏。');
  await clerk.picture('desk-sheet');
  await clerk.fill('close');
  await clerk.sees('已截止');
  await advance(clerk, '谋事');
}

async function advance(who, stage) {
  await who.go(`/desk/matters/${ids.matter}`);
  await who.sees('依据齐全，可以进入下一步。');
  await who.fill('advance');
  await who.sees(stage);
  const now = who.page.locator('.steps [aria-current=step] b');
  if (stage !== '已经办结') assert.equal((await now.innerText()).trim(), stage);
}

async function deliberate() {
  await convener.login(`/desk/matters/${ids.matter}`);
  await convener.sees('乡贤参事会还没有开会商议');
  await convener.picture('desk-matter');
  await convener.fill('call', { caller: '参事会', starts_at: '2026-11-03T19:00', place: '文化礼堂' });
  await pass(33);
  await adviser.login('/');
  await adviser.sees('请签到');
  await adviser.follow('请签到');
  await adviser.sees('我来签到', '文化礼堂', '11月3日 19:00');
  ids.meeting = idOf(adviser);
  await adviser.fill(`/meetings/${ids.meeting}/attendance`);
  await adviser.sees('您已签到');
  // in the evening the paper list is typed in, and the minutes
  await pass(2);
  await convener.go('/desk');
  await convener.follow('商议“桥头装路灯”');
  await convener.fill('present', { person_id: ['施金泉', '潘伟峰'] });
  await convener.sees('到会 3 人', '名单上的人都已签到');
  await convener.picture('desk-meeting');
  await convener.fill('minutes', { minutes: '到会三人，都说要装，选太阳能的，三盏够了。', 'resolutions[0].text': '建议装三盏太阳能路灯。',
    'resolutions[0].votes_for': '3', 'resolutions[0].votes_against': '0' });
  await convener.sees('建议装三盏太阳能路灯。');
  await advance(convener, '亮事');
  await speaker.go(`/meetings/${ids.meeting}`);
  await speaker.sees('会议纪要', '到会 3 人', '建议装三盏太阳能路灯。');
  await speaker.look('meeting');
}

async function publicise() {
  await chair.login('/desk');
  await chair.follow(TITLE);
  await chair.fill('publish', { text: '桥头装三盏太阳能路灯，六千元，从村集体经费出。', period_days: '7' });
  await chair.sees('正在公示');
  await speaker.go('/notices');
  await speaker.sees('关于“桥头装路灯”的公示');
  await speaker.look('notices');
  await speaker.follow('关于“桥头装路灯”的公示');
  ids.notice = idOf(speaker);
  await speaker.sees('公示期：', '还没有异议', '从村集体经费出');
  await speaker.lacks('听一听');
  await sayAloud();
}

/** For who cannot read: the chair says it at the desk, and everybody hears it. */
async function sayAloud() {
  await chair.go(`/desk/aloud/notice/${ids.notice}`);
  await chair.sees('从村集体经费出', '录一段念给大家听');
  await recordClip(chair);
  await chair.picture('desk-aloud');
  await chair.fill('record');
  await chair.sees('人念的', '重新录，或者拿下来');
  await speaker.go('/notices');
  await speaker.sees('听一听');
  await speaker.look('notices-aloud');
  await speaker.follow('关于“桥头装路灯”的公示');
  const link = speaker.page.locator('a.voice[href^="/v1/clips/"]');
  const clip = await speaker.page.request.get(await link.getAttribute('href'));
  assert.equal(clip.status(), 200);
  await link.click();
  await speaker.page.waitForFunction(() => document.querySelector('a.voice').getAttribute('aria-pressed') === 'true');
}

async function object() {
  await objector.go(`/matters/${ids.matter}`);
  await objector.sees('看全文');
  await objector.follow('看全文');
  await objector.fill('object', { text: '第三盏正对我家窗口，晚上睡不好。' });
  await objector.sees('第三盏正对我家窗口', '等待答复');
  await objector.look('notice');
  await clerk.go('/desk');
  await clerk.sees('1 条异议没有答复');
  await clerk.follow('关于“桥头装路灯”的公示');
  const form = await clerk.page.locator('form[action$="/answer"]').getAttribute('id');
  await clerk.fill(form, { answer: '灯杆往东移三米，灯罩朝下，不照窗户。' });
  await clerk.sees('异议 1 条，未答复 0 条');
  await clerk.picture('desk-notice');
  await objector.go(`/notices/${ids.notice}`);
  await objector.sees('灯杆往东移三米', '异议 1 条，0 条等待答复');
  // the period passes, and the matter goes on by itself
  await clerk.go(`/desk/matters/${ids.matter}`);
  await clerk.sees('还没有完成：要公示期满');
  await pass(8 * 24);
  await clerk.go(`/desk/matters/${ids.matter}`);
  await clerk.sees('回访还不够', '公示结束');
}

async function review() {
  await convener.go(`/desk/matters/${ids.matter}`);
  await convener.fill('visit');
  await adviser.go(`/desk/matters/${ids.matter}`);
  await adviser.follow('回访');
  const sheet = new URL(adviser.page.url()).pathname;
  for (const [name, wish] of [['嵇国强', '同意'], ['嵇文斌', '再想想']]) {
    await adviser.fill(sheet, { find: name });
    await adviser.follow('嵇');
    await adviser.fill('visit', { 'answers.q1': wish, 'answers.q2': '灯罩要朝下。' });
  }
  await adviser.sees('2 份');
  await convener.go(sheet);
  await convener.fill('close');
  await branch.login('/desk/matters');
  await branch.follow(TITLE);
  await branch.fill('opinion', { agree: '同意提交表决', text: '方案合规，同意提交村民会议表决。' });
  await branch.sees('同意提交村民会议表决');
  await advance(clerk, '定事');
}

async function call() {
  await chair.go(`/desk/matters/${ids.matter}`);
  await chair.fill('call', { caller: '村民会议', starts_at: '2026-11-22T19:00', place: '文化礼堂' });
  await chair.sees('表决“桥头装路灯”');
  await pass(10 * 24 + 1);
  await chair.go(`/desk/matters/${ids.matter}`);
  await chair.fill('vote', { question: QUESTION, preset: '村民会议（按人）', meeting_id: '表决“桥头装路灯”', closes_at: '2026-11-22T21:00' });
  await chair.sees(QUESTION, '会议表决');
  ids.vote = (await chair.page.locator('a[href^="/desk/votes/"]').first().getAttribute('href')).split('/').pop();
}

async function vote() {
  await villager.go('/');
  await villager.sees(`请表决：${QUESTION}`);
  await villager.follow('请表决');
  const path = `/votes/${ids.vote}`;
  await villager.sees(QUESTION, '多少人同意才通过', '村民委员会组织法');
  await cast(villager, '同意');
  // once more, from an old page and from the beginning
  await villager.go(path);
  await villager.sees('您的票已经收到');
  assert.equal(await villager.page.locator(`form[action="${path}/confirm"]`).count(), 0, 'nothing to vote with any more');

  await speaker.go('/votes');
  await speaker.sees(QUESTION);
  await speaker.look('votes');
  await speaker.page.locator(`main a[href="${path}"]`).first().click();
  await speaker.sees('您的意见是');
  await speaker.look('vote');
  await cast(speaker, '同意', true);
  await speaker.look('vote-receipt');
  await cast(watcher, '同意');
  await cast(objector, '不同意');
  for (const one of [clerk, chair, convener, adviser, branch]) await cast(one, '同意');
  await cast(await supervisor.login(), '弃权');
  for (const number of [2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 16, 18, 19, 20, 21, 23, 24, 26, 27, 29]) {
    await voteByForms(phone(String(number).padStart(2, '0')), ids.vote, 'for');
  }
  await chair.go(`/desk/votes/${ids.vote}`);
  await chair.sees('已投 30 / 名册');
  await chair.lacks('通过');
  await speaker.go(path);
  await speaker.lacks('30 人同意');
  await speaker.go('/meetings');
  await speaker.sees('表决“桥头装路灯”');
}

async function cast(who, choice, looks = false) {
  await who.go(`/votes/${ids.vote}`);
  await who.fill(`/votes/${ids.vote}/confirm`, { choice });
  await who.sees('再看一遍', '您选的是', `确定投：${choice}`);
  if (looks) await who.look('vote-confirm');
  assert.ok(!/for|against|abstain/.test(new URL(who.page.url()).search), 'a choice is no part of an address');
  await who.fill(`/votes/${ids.vote}/ballots`);
  await who.sees('您的票已经收到', '只算一次', '凭证');
}

async function result() {
  await pass(24);
  await speaker.go(`/votes/${ids.vote}`);
  await speaker.follow('表决结果');
  await speaker.sees('通过', '每一个数字', '村民委员会组织法', '每一张票', '请核对您自己的一行');
  const numbers = await speaker.page.locator('table').first().locator('tr').allInnerTexts();
  const shown = Object.fromEntries(numbers.map((row) => row.split(/\s+/)));
  assert.deepEqual(shown, { 名册上: '57', 参加: '30', 同意: '28', 不同意: '1', 弃权: '1' });
  await speaker.sees('名册 57 人，参加 30 人，要超过 1/2：达到', '参加 30 人，同意 28 人，要超过 1/2：达到');
  await speaker.look('vote-result');
  await stranger.go(`/votes/${ids.vote}/result`);
  await stranger.sees('通过', '57', '28');
  await stranger.lacks('每一张票');
}

async function carryOut() {
  // who was not heard has seven days; then the matter moves by itself
  await speaker.go(`/votes/${ids.vote}/result`);
  await speaker.sees('结果公示中');
  await pass(8 * 24);
  await chair.go(`/desk/matters/${ids.matter}`);
  await chair.fill('task', { title: '装好三盏路灯', owner_id: '姚志刚' });
  await clerk.go('/desk');
  await clerk.sees('装好三盏路灯', '交给我的任务');
  await clerk.follow('装好三盏路灯');
  await clerk.fill('finish', { proof: '三盏都亮了，第三盏移了三米。', photos: [media('gps-sideways.jpg')] });
  await clerk.sees('三盏都亮了');
  await clerk.picture('desk-task');
  await speaker.go(`/matters/${ids.matter}`);
  await speaker.sees('落实', '装好三盏路灯', '已办好', '三盏都亮了');
  assert.equal(await speaker.page.locator('#voices .photos img').count(), 1, 'the photo of the voice');
  assert.equal(await speaker.page.locator('#voices a.voice, #voices audio').count() > 0, true, 'the clip of the voice');
  assert.equal(await speaker.page.locator('.photos img').count(), 2, 'and that of the task');
}

async function rate() {
  await clerk.go(`/desk/matters/${ids.matter}`);
  await clerk.fill('rating');
  await speaker.go('/');
  await speaker.sees('请填写：满意度评分');
  await speaker.look('home-todo');
  await speaker.follow('请填写：满意度评分');
  const form = new URL(speaker.page.url()).pathname;
  for (const [one, score] of [[speaker, '5 分'], [villager, '5 分'], [objector, '4 分']]) {
    await one.go(form);
    await one.fill(form, { 'q-q1': score });
    await one.sees('填过，谢谢');
  }
  await clerk.follow('满意度评分');
  await clerk.sees('平均 4.66 分');
  await clerk.fill('close');
}

async function close() {
  await clerk.go(`/desk/matters/${ids.matter}`);
  await clerk.fill('report', { text: '三盏路灯十一月装好，花了五千八百元，大家满意。' });
  await clerk.sees('花了五千八百元');
  // the committee that did it cannot close it
  assert.equal(await clerk.page.locator('form#advance').count(), 0);
  await supervisor.go(`/desk/matters/${ids.matter}`);
  await supervisor.sees('办结');
  await advance(supervisor, '已经办结');
  await villager.go('/');
  await villager.sees('办结：桥头装路灯');
  await villager.picture('home-no-script');
  await villager.follow('公告');
  await villager.sees('表决通过', '办结：桥头装路灯');
  await speaker.go('/');
  await speaker.follow('公告');
  await speaker.look('stream');
  await elder();
}

/** Letters of 24 px for who asks for them. */
async function elder() {
  await speaker.go('/');
  await speaker.follow('长辈版');
  assert.equal(await speaker.page.evaluate(() => getComputedStyle(document.body).fontSize), '24px');
  await speaker.look('home-elder');
  await speaker.go(`/matters/${ids.matter}`);
  await speaker.look('matter-elder');
  await speaker.follow('标准版');
  assert.equal(await speaker.page.evaluate(() => getComputedStyle(document.body).fontSize), '20px');
}

async function record() {
  await stranger.go('/matters');
  await stranger.look('matters');
  await stranger.follow(TITLE);
  await stranger.follow('全程档案');
  await stranger.sees(
    TITLE, '已经办结', '桥头的路灯坏了', '3 位村民的留言', '提事', '谋事', '亮事', '审事', '定事', '评事', '民意调查', '收到 4 份',
    '建议装三盏太阳能路灯。', '从村集体经费出', '第三盏正对我家窗口', '灯杆往东移三米', '方案合规', QUESTION, '名册 57 人，参加 30 人',
    '装好三盏路灯', '三盏都亮了', '花了五千八百元', '满意度评分', '经过', '村民留言', '事项办结', '日志共',
  );
  await stranger.lacks('费海荣', '嵇国强', '1950000', '太阳能路灯吧，省电');
  await stranger.look('record');
  await stranger.go(`/matters/${ids.matter}`);
  await stranger.look('matter-closed');
  await stranger.go('/log');
  await stranger.look('log');
}

/** Whoever runs the county sees counts and health, and a private voice only with a reason that its author reads. */
async function operate() {
  await watcher.go(`/suggestions/${ids.third}`);
  const number = (await watcher.page.locator('p.small').first().innerText()).split('\n')[0].trim();
  await operator.login('/desk/county');
  await operator.sees('数据库', '正常', '磁盘空间够用');
  await operator.picture('county-health');
  await operator.follow('区域');
  await operator.picture('county-areas');
  await operator.go('/desk/county/bodies?area=330521103202');
  await operator.sees('东衡村村民委员会');
  await operator.picture('county-bodies');
  await operator.go('/desk/county/failures');
  await operator.picture('county-failures');
  await operator.go('/desk/county/voices');
  await operator.lacks('太阳能路灯吧');
  await operator.fill('/desk/county/voices', { number, reason: '看看' }, { refused: true });
  await operator.lacks('太阳能路灯吧');
  await operator.fill('/desk/county/voices', { number, reason: '有人投诉这条留言没有人管，核实办理情况。' });
  await operator.sees('太阳能路灯吧');
  await operator.lacks('臧志刚');
  await operator.picture('county-voice');
  await operator.go('/desk/county/voices');
  await operator.sees('核实办理情况');
  await operator.picture('county-voices');
  await watcher.go(`/suggestions/${ids.third}`);
  await watcher.page.locator('details').evaluateAll((all) => all.forEach((one) => { one.open = true; }));
  await watcher.sees('德清县民政局', '核实办理情况');
}
