import { parseArgs } from 'node:util';
import { createCacheEntries } from '@hushryd/outreach/people/cache/cache-entries';
import { createContactStore } from '@hushryd/outreach/people/contacts/contact-store';
import { createOutreachLists } from '@hushryd/outreach/people/contacts/outreach-lists';
import {
  createPersonSeal,
  onCallCollection,
  type RotaDocument,
} from '@hushryd/outreach/people/on-call/on-call-document';
import { createOnCallReader } from '@hushryd/outreach/people/on-call/on-call-reader';
import { createVersionedStore } from '@hushryd/outreach/people/versioned/versioned-store';
import { type RunProgress, reEncryptAll } from '@hushryd/outreach/re-encryption/re-encrypt-all';
import { listSealedCollections } from '@hushryd/outreach/re-encryption/sealed-collections';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import {
  commonEnvironment,
  mongoEnvironment,
  redisEnvironment,
  toMongoSettings,
  toRedisSettings,
} from '@hushryd/platform/config/shared-environment';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { fieldKeyEnvironment, toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectMongo } from '@hushryd/platform/mongo/connect';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import Type from 'typebox';

const help = `Brings every private field in the database under the current key, so that older keys may go.

  npm run reencrypt
  node services/worker/dist/re-encryption/main.js

Services go on meanwhile. To change the key: add the new one to FIELD_KEYS of all services and restart them; make it FIELD_KEY_CURRENT and
restart them; run this with the same variables; where it ends with 0, and no api holds alerts outside the database (its SOS_JOURNAL_DIR
is empty), take the older keys out of FIELD_KEYS. MONGODB_URL, REDIS_URL and the like say where the data is (.env.example).

It may be interrupted and run again: what is done is passed over.

  --dry-run  count what an older key encrypted, and what no key opens; write nothing
  --help     this text

Exit codes: 0 everything is under the current key · 1 broken off, or somebody still encrypts with an older key: run it again · 2 not
understood, nothing was changed · 3 something is under a key that is not in FIELD_KEYS (named above) · 4 dry run, something is to be done`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

const exitCodes = { done: 0, brokenOff: 1, refused: 2, unreadable: 3, toBeDone: 4 } as const;

const ending = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => ending.abort(new Error(`ended by ${name}`)));

process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  complain(`Broken off: ${error instanceof Error ? error.message : String(error)}. Run it again.`);
  return exitCodes.brokenOff;
});

async function run(args: string[]): Promise<number> {
  const asked = readArguments(args);
  if (asked === 'help') {
    say(help);
    return exitCodes.done;
  }
  const settings = asked === undefined ? undefined : readSettings();
  if (asked === undefined || settings === undefined) return exitCodes.refused;

  const log = createLogger({ service: 'reencrypt', instanceId: createInstanceId('reencrypt'), level: 'error' });
  const mongo = connectMongo({ settings: settings.mongo, log });
  const connections = await connectRedis({ settings: settings.redis, role: 'live', log });
  try {
    const { db } = mongo;
    const cipher = createFieldCipher(settings.fieldKeys);
    const parts = {
      entries: createCacheEntries({ redis: connections.commands }),
      keys: createKeys(settings.redis),
      log,
    };
    const rota = createVersionedStore<RotaDocument>({ db, name: onCallCollection.name, deadlineMs: 5_000 });
    const copies = {
      contacts: createOutreachLists({ ...parts, store: createContactStore({ db }) }),
      onCall: createOnCallReader({ ...parts, store: rota, seal: createPersonSeal(cipher) }),
    };
    const { isDryRun } = asked;
    const { changed, unreadable, isComplete } = await reEncryptAll({
      collections: listSealedCollections({ db, cipher, copies }),
      isDryRun,
      onPage: (progress) => say(toLine(progress, isDryRun)),
      onUnreadable: ({ collection, id }) => complain(`No key opens ${id} in ${collection}.`),
      signal: ending.signal,
    });
    say(`${changed} documents ${isDryRun ? 'to be written' : 'written'} anew, ${unreadable} that no key opens.`);
    if (unreadable > 0) return exitCodes.unreadable;
    if (isComplete) {
      say(`Everything is under ${settings.fieldKeys.current}.`);
      return exitCodes.done;
    }
    if (isDryRun) return exitCodes.toBeDone;
    complain(
      'Somebody still encrypts with an older key: give all services the new FIELD_KEY_CURRENT, and run it again.',
    );
    return exitCodes.brokenOff;
  } finally {
    await connections.close();
    await mongo.close();
  }
}

function toLine({ collection, seen, changed, unreadable }: RunProgress, isDryRun: boolean): string {
  const broken = unreadable > 0 ? `, ${unreadable} that no key opens` : '';
  return `${collection}: ${seen} seen, ${changed} ${isDryRun ? 'to be written' : 'written'} anew${broken}`;
}

function readArguments(args: string[]): { isDryRun: boolean } | 'help' | undefined {
  try {
    const options = { 'dry-run': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ args, options });
    return values.help ? 'help' : { isDryRun: values['dry-run'] === true };
  } catch (error) {
    complain(`${error instanceof Error ? error.message : String(error)} See --help.`);
    return undefined;
  }
}

function readSettings() {
  try {
    const groups = { ...commonEnvironment, ...redisEnvironment, ...mongoEnvironment, ...fieldKeyEnvironment };
    const env = readEnvironment(Type.Object(groups), process.env);
    return { redis: toRedisSettings(env), mongo: toMongoSettings(env), fieldKeys: toFieldKeys(env) };
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
