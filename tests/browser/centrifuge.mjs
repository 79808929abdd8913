// The unmodified npm `centrifuge` client, driven line by line: "drop" cuts its connection, "end" ends it. Behind the token
// may stand, after a blank, another that it gets when it asks for one.
// Prints one JSON object a line: what the client reports about its server-side subscriptions.
import { Centrifuge } from 'centrifuge';
import readline from 'node:readline';
import WebSocket from 'ws';

const [url, tokens] = process.argv.slice(2);
const [token, another] = tokens.split(' ');
const say = (event) => console.log(JSON.stringify(event));
let newest = null;
let allowed = true;

class Wire extends WebSocket {
  constructor(address, protocols) {
    // several frames in one tick would be interleaved with recovered ones by this SDK
    super(allowed ? address : 'ws://127.0.0.1:1/', protocols, { allowSynchronousEvents: false });
    newest = this;
  }
}

const renewal = async () => { say({ event: 'asked for a token' }); return another; };
const client = new Centrifuge(url, {
  token, getToken: another ? renewal : null, websocket: Wire, minReconnectDelay: 50, maxReconnectDelay: 200,
});
client.on('connected', () => say({ event: 'connected' }));
client.on('disconnected', (context) => say({ event: 'disconnected', code: context.code }));
client.on('subscribed', (context) =>
  say({ event: 'subscribed', channel: context.channel, recovered: context.recovered, wasRecovering: context.wasRecovering }));
client.on('publication', (context) =>
  say({ event: 'publication', channel: context.channel, offset: context.offset, data: context.data }));
client.connect();

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  if (line === 'drop') { allowed = false; newest.terminate(); say({ event: 'dropped' }); }
  if (line === 'restore') { allowed = true; say({ event: 'restored' }); }
  if (line.startsWith('rpc ')) {
    const { method, data } = JSON.parse(line.slice(4));
    try { say({ event: 'rpc', data: (await client.rpc(method, data)).data }); }
    catch (error) { say({ event: 'rpc', error: { code: error.code, message: error.message } }); }
  }
  if (line === 'end') { client.disconnect(); process.exit(0); }
});
