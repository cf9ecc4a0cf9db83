#!/usr/bin/env node
// Verifies an exported timeline of an alert, without HushRyd: one file, Node 18 or newer, no packages. Written apart from the
// code that makes the chain, so that an error in one of the two shows.
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const help = `Usage: verify-timeline [--head HASH] FILE

Verifies FILE, the timeline of an alert as GET /v1/sos/:id/export gives it (- for standard input).

  --head HASH   the hash of the last fact as it is known from elsewhere: an earlier export, or the service's log.
                Without it a file whose whole chain was written anew passes.
  --help        this text

Exit code 0: the file is whole and unchanged. 1: it is not, and each line says where. 2: it could not be read.
`;

const format = 'hushryd.alert-timeline.1';
const start = '0'.repeat(64);

/**
 * @param {Record<string, any>} timeline a parsed file
 * @param {string} [knownHead] what its head has to be
 * @returns {string[]} a sentence for each place at which it is broken
 */
export function verify({ digest, facts, ...header }, knownHead) {
  const problems = [];
  if (digest !== sha256(canonical(header)))
    problems.push('header: the digest is not that of what stands above the facts');

  let previous = start;
  let seq = 0;
  for (const fact of facts) {
    seq += 1;
    problems.push(...verifyFact(fact ?? {}, { alertId: header.alertId, seq, previous }));
    previous = fact?.hash;
    // Behind the first broken place all would be broken: go on from what the file says, so that only real breaks are named.
    if (Number.isInteger(fact?.seq)) seq = fact.seq;
  }

  if (seq !== header.count || facts.length !== header.count) {
    problems.push(`end: ${facts.length} facts, the last one numbered ${seq}, where the header says ${header.count}`);
  }
  if (previous !== header.head) problems.push('end: the last fact is not the one that the header says');
  if (knownHead !== undefined && header.head !== knownHead.toLowerCase()) {
    problems.push(`end: the head is ${header.head}, not ${knownHead}`);
  }
  return problems;
}

function verifyFact({ hash, text, salt, ...content }, { alertId, seq, previous }) {
  const broken = [];
  if (content.seq !== seq) broken.push(`is numbered ${content.seq}: facts are missing, added or in another order`);
  if (content.previous !== previous) broken.push('does not follow the fact before it');
  if (hash !== sha256(canonical({ ...content, alertId }))) broken.push('was changed');
  if (text !== undefined && content.textDigest !== sha256(`${salt}.${text}`))
    broken.push('has another text than was sealed');
  return broken.map((what) => `fact ${seq} (${content.factId ?? 'without a name'}): ${what}`);
}

/** JSON in one spelling (RFC 8785): names sorted by their UTF-16 code units, no white space. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

function sha256(text) {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** @returns {number} exit code */
function main() {
  let options;
  try {
    options = parseArgs({
      allowPositionals: true,
      options: { head: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    return refuse(`${error.message}\n\n${help}`);
  }
  const { values, positionals } = options;
  if (values.help) return say(help, 0);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) return refuse(help);

  let timeline;
  try {
    timeline = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    return refuse(`${file} could not be read: ${error.message}\n`);
  }
  if (timeline?.format !== format || !Array.isArray(timeline.facts)) {
    return refuse(`${file} is not a timeline of the format ${format}\n`);
  }

  const problems = verify(timeline, values.head);
  if (problems.length > 0) return say(`${problems.join('\n')}\nBROKEN: ${file}, in ${problems.length} place(s)\n`, 1);
  const hint = values.head === undefined ? ' (compare it with one from elsewhere: --head)' : '';
  const { alertId, count, head } = timeline;
  return say(`OK: alert ${alertId}, ${count} facts, as they were sealed\nhead ${head}${hint}\n`, 0);
}

function say(text, exitCode) {
  process.stdout.write(text);
  return exitCode;
}

function refuse(text) {
  process.stderr.write(text);
  return 2;
}

const isProgram = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isProgram) process.exitCode = main();
