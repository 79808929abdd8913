// The unmodified npm `eventsource` client, driven line by line: "drop" cuts its connection, "end" ends it.
// Prints one JSON object a line: each entry of a stream that it is handed, live or as what it missed.
import { EventSource } from 'eventsource';
import readline from 'node:readline';

const [url, token] = process.argv.slice(2);
const say = (event) => console.log(JSON.stringify(event));
let newest = null;

// as a network that breaks in the middle: the body ends with a fault
const follow = async (input, init) => {
  const answer = await fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
  const reader = answer.body.getReader();
  const body = new ReadableStream({
    start(controller) {
      newest = () => { controller.error(new Error('cut')); reader.cancel().catch(() => {}); };
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close(); else controller.enqueue(value);
    },
  });
  return new Response(body, { status: answer.status, headers: answer.headers });
};
const source = new EventSource(url, { fetch: follow });
source.addEventListener('connect', (event) => {
  const { subs } = JSON.parse(event.data).connect;
  say({ event: 'connected' });
  for (const [channel, sub] of Object.entries(subs)) {
    if (sub.was_recovering) say({ event: 'recovered', channel, recovered: sub.recovered });
    for (const { offset, data } of sub.publications ?? []) say({ event: 'publication', channel, offset, data });
  }
});
source.addEventListener('disconnect', (event) => say({ event: 'disconnected', code: JSON.parse(event.data).push.disconnect.code }));
source.addEventListener('message', (event) => {
  const { push } = JSON.parse(event.data);
  if (push.pub) say({ event: 'publication', channel: push.channel, offset: push.pub.offset, data: push.pub.data });
  for (const { offset, data } of push.subscribe?.publications ?? []) say({ event: 'publication', channel: push.channel, offset, data });
});
source.addEventListener('error', (event) => say({ event: 'error', code: event.code ?? null }));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'drop') { newest(); say({ event: 'dropped' }); }
  if (line === 'end') { source.close(); process.exit(0); }
});
