// A socket through the TLS proxy with the pages' cookie: usage: proxied.mjs WSS_URL OWN_ORIGIN COOKIE
// Prints a line for each thing that holds; ends with 1 at the first that does not.
import WebSocket from 'ws';

const [url, origin, cookie] = process.argv.slice(2);
const die = (why) => { console.log(why); process.exit(1); };
setTimeout(() => die('nothing within 20 s'), 20_000).unref();

/** The first frame that answers `connect`, or the status with which the upgrade is refused. */
function connect(headers) {
  return new Promise((done) => {
    const socket = new WebSocket(url, { headers });
    socket.on('unexpected-response', (_, response) => done({ status: response.statusCode }));
    socket.on('error', () => {});
    socket.on('open', () => socket.send(JSON.stringify({ id: 1, connect: {} })));
    socket.on('message', (frame) => done({ socket, frame: JSON.parse(String(frame).split('\n')[0]) }));
    socket.on('close', (code) => done({ closed: code }));
  });
}

const own = await connect({ cookie, origin });
if (!own.frame?.connect?.client) die(`the own page is not connected: ${JSON.stringify({ ...own, socket: undefined })}`);
console.log(`socket through the proxy: connected, ${Object.keys(own.frame.connect.subs ?? {}).length} channels`);

const foreign = await connect({ cookie, origin: 'https://evil.example' });
if (foreign.status !== 403) die(`a page of another site may open a socket: ${JSON.stringify({ ...foreign, socket: undefined })}`);
console.log('a socket opened by a page of another site is refused: 403');

own.socket.terminate();
process.exit(0);
