// Reads a description of the socket with the parser of AsyncAPI. Prints one JSON object: its faults, and the document as it was read.
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import yaml from 'js-yaml';

const [, , source] = process.argv;
const text = readFileSync(source, 'utf8');
const without = (rule) => new Parser({ ruleset: { rules: { [rule]: 'off' } } });

// As it stands: everything but its shape once references are followed. Each of hundreds of operations names its channel twice, and
// the channel has all hundreds of messages: that would be looked at as a tree of twenty million things, for minutes.
const written = await without('asyncapi-document-resolved').validate(text, { source });

// The shape once references are followed, with channels that operations name without their messages; those stand in the channels,
// each of which is looked at once, and in the operations.
const light = yaml.load(text);
const named = (place) => {
  if (place?.channel) place.channel.$ref += '_bare';
};
for (const [name, { messages, ...bare }] of Object.entries(light.channels)) light.channels[`${name}_bare`] = bare;
for (const operation of Object.values(light.operations)) [operation, operation.reply].forEach(named);
const { document, diagnostics } = await without('asyncapi3-operation-messages-from-referred-channel').parse(JSON.stringify(light, undefined, 2), { source });

// 0 is an error, the others are advice
const faults = [...written, ...diagnostics].filter((one) => one.severity === 0).map((one) => `${one.path.join('.')}: ${one.message}`);
console.log(JSON.stringify({ faults, messages: document?.allMessages().length ?? 0, document: yaml.load(text) }));
