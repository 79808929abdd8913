// A way to the server that breaks: it swallows what comes (`isDeaf`), is slow by so many milliseconds (`lag`), lets nothing through (`down`), or loses the answers to
// requests that begin with a line (`unheard`), after they were done.
import { connect, createServer } from 'node:net';

export async function tunnel(to) {
  const { hostname, port } = new URL(to);
  const net = { unheard: '', lost: 0, isDown: false, isDeaf: false, lag: 0 };
  const phones = new Set();
  const server = createServer((phone) => {
    if (net.isDown) { phone.destroy(); return; }
    phones.add(phone);
    const far = connect(Number(port), hostname);
    let isLost = false;
    phone.on('data', (piece) => {
      if (net.isDeaf) return;
      if (net.unheard && piece.toString('latin1').startsWith(net.unheard)) isLost = true;
      if (net.lag) setTimeout(() => far.write(piece), net.lag); else far.write(piece);
    });
    far.on('data', (piece) => {
      if (!isLost) { phone.write(piece); return; }
      net.lost += 1;
      phone.destroy();
      far.destroy();
    });
    for (const [one, other] of [[phone, far], [far, phone]]) {
      one.on('error', () => other.destroy());
      one.on('close', () => { other.destroy(); phones.delete(phone); });
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  net.url = `http://127.0.0.1:${server.address().port}`;
  net.down = () => { net.isDown = true; for (const phone of phones) phone.destroy(); };
  net.up = () => { net.isDown = false; };
  net.end = () => server.close();
  return net;
}
