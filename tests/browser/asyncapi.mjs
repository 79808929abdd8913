// Reads a description of the socket with the parser of AsyncAPI. Prints one JSON object: its faults, and the document as it was read.
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

const text = readFileSync(process.argv[2], 'utf8');
const { document, diagnostics } = await new Parser().parse(text, { source: process.argv[2] });
// 0 is an error, the others are advice
const faults = diagnostics.filter((one) => one.severity === 0).map((one) => `${one.path.join('.')}: ${one.message}`);
const { default: yaml } = await import('js-yaml');
console.log(JSON.stringify({ faults, messages: document?.allMessages().length ?? 0, document: yaml.load(text) }));
