// Reads a description of the socket with the parser of AsyncAPI. Prints one JSON object: its faults, and the document as it was read.
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import yaml from 'js-yaml';

const [, , source] = process.argv;
const text = readFileSync(source, 'utf8');
const without = (...rules) => new Parser({ ruleset: { rules: Object.fromEntries(rules.map((rule) => [rule, 'off'])) } });

// As it stands: everything but what is looked at once references are followed. Each of hundreds of operations names its channel
// twice, and the channel has all hundreds of messages: that would be a tree of twenty million things, and minutes. To find the
// channels among them, and their parameters, the parser goes through all of it, too.
const written = await without('asyncapi-document-resolved', 'asyncapi3-channel-parameters').validate(text, { source });

// The same once references are followed. Each message stands among the components and is looked at there, once: where a channel or
// an operation names one, a small one stands for it, for that it is there was seen above. Nothing is made of what was read: a model
// of all that takes longer than to look at it, and says no more.
const document = yaml.load(text);
const light = structuredClone(document);
const ping = { $ref: '#/components/messages/ping' };
const messages = new Set();
for (const channel of Object.values(light.channels)) {
  const own = Object.entries(channel.messages).filter(([, one]) => !one.$ref);
  for (const one of Object.values(channel.messages)) messages.add(one.$ref ?? one);
  channel.messages = { ping, ...Object.fromEntries(own) };
}
for (const operation of Object.values(light.operations)) {
  for (const place of [operation, operation.reply ?? {}]) place.messages = place.messages?.map((one) => (one.$ref ? ping : one));
}
const resolved = await without('asyncapi3-operation-messages-from-referred-channel').validate(JSON.stringify(light, undefined, 2), { source });

// 0 is an error, the others are advice
const faults = [...written, ...resolved].filter((one) => one.severity === 0).map((one) => `${one.path.join('.')}: ${one.message}`);
console.log(JSON.stringify({ faults, messages: messages.size, document }));
