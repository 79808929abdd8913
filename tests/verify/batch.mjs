/* Runs the browser's scripts in Node. `verify`: a JSON line with an archive each in, or its text, `ok` or the word of the fault out;
   of an archive with a `ballot` what became of that.
   `seal`: {manifest, cast_id, choices} in, the envelope out. `key`: a trustee's key pair. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { webcrypto } from 'node:crypto';

const [assets, what] = process.argv.slice(2);
const self = { crypto: webcrypto, TextEncoder, fetch: null };
const load = (name) => new Function('self', 'atob', 'btoa', 'document', readFileSync(`${assets}/${name}`, 'utf8'))(self, atob, btoa, undefined);
load('verify.js');
load('seal.js');
const { read, verify, own, Wrong } = self.liushengVerify, { seal, makeKey } = self.liushengSeal;

const does = {
  verify: async (asked) => {
    try {
      const archive = 'text' in asked ? read(asked.text) : asked.archive;
      await verify(archive, asked.fingerprint, asked.vote);
      return 'ballot' in asked ? own(archive, asked.ballot) : 'ok';
    } catch (error) {
      if (error instanceof Wrong) return error.word;
      throw error;
    }
  },
  seal: async (asked) => seal(asked.manifest, asked.cast_id, asked.choices),
  key: async () => JSON.stringify(await makeKey()),
};
for await (const line of createInterface({ input: process.stdin })) console.log(await does[what](JSON.parse(line)));
