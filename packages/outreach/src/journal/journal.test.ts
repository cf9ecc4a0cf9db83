import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import fc from 'fast-check';
import t from 'tap';
import { holdAbandoned } from './hold-folder.ts';
import { openJournal } from './journal.ts';
import { encodeLine, readLines } from './journal-lines.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const seed = Date.now() % 2 ** 31;
t.comment(`fast-check seed ${seed}`);

function newRoot(t: { teardown(work: () => unknown): unknown }): string {
  const root = mkdtempSync(join(tmpdir(), 'hushryd-journal-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

const open = (rootDir: string, changes: { maxBytes?: number; fileBytes?: number } = {}) =>
  openJournal<number>({ settings: { rootDir, maxBytes: 1_000_000, ...changes }, ownerOf, log });
/** Odd and even. */
const ownerOf = (body: number) => String(body % 2);
const entry = (key: string, body = 0) => ({ key, body });
const filesIn = (root: string, folder = '0') =>
  readdirSync(join(root, folder)).filter((name) => name.includes('.journal'));

t.test('what was appended is there again after a crash, in order, until it is settled', async (t) => {
  const root = newRoot(t);
  const journal = await open(root);

  await Promise.all(['a', 'b', 'c'].map((key, index) => journal.append(entry(key, index))));
  await journal.append(entry('b', 99));
  t.equal(
    readFileSync(join(root, '0', filesIn(root)[0] ?? ''), 'utf8')
      .trim()
      .split('\n').length,
    3,
    'each once',
  );
  await journal.close();

  const again = await open(root);
  t.same(again.pending(), [entry('a', 0), entry('b', 1), entry('c', 2)]);
  t.equal(again.find('b'), 1);
  await again.settle(['a', 'b']);
  t.equal(filesIn(root).length, 1, 'c is still in it');
  await again.append(entry('d', 3));
  await again.settle(['c', 'd']);
  t.same([filesIn(root), again.bytes, again.pending()], [[], 0, []]);
  await again.close();
});

t.test('the entries of one owner are found without looking at the others', async (t) => {
  const root = newRoot(t);
  let asked = 0;
  const journal = await openJournal<number>({
    settings: { rootDir: root, maxBytes: 10_000_000 },
    ownerOf(body) {
      asked += 1;
      return String(body);
    },
    log,
  });
  const some = Array.from({ length: 1_000 }, (_, index) => entry(`key-${index}`, index % 500));
  await Promise.all(some.map((one) => journal.append(one)));
  asked = 0;

  t.same(journal.pendingOf('7'), [entry('key-7', 7), entry('key-507', 7)], 'oldest first');
  t.same(journal.pendingOf('nobody'), []);
  t.equal(asked, 0);
  const unwritten = journal.append(entry('key-8-again', 8));
  t.equal(journal.pendingOf('8').length, 2, 'what is not on the disk is not pending');
  await unwritten;
  t.equal(journal.pendingOf('8').length, 3);

  await journal.settle(['key-7']);
  t.same(journal.pendingOf('7'), [entry('key-507', 7)]);
  await journal.close();
  const again = await open(root);
  t.equal(again.pendingOf('0').length + again.pendingOf('1').length, 1_001, 'also of what was left');
  t.equal(again.pending().length, 1_001);
  await again.close();
});

t.test('a line that a crash has cut costs nothing, one that rotted costs itself and is kept aside', async (t) => {
  const root = newRoot(t);
  const journal = await open(root);
  for (const key of ['a', 'b', 'c']) await journal.append(entry(key));
  const path = join(root, '0', filesIn(root)[0] ?? '');
  await journal.close();
  appendFileSync(path, encodeLine(entry('d')).slice(0, 20));

  const cut = await open(root);
  t.same(
    cut.pending().map(({ key }) => key),
    ['a', 'b', 'c'],
  );
  await cut.append(entry('e'));
  await cut.close();

  writeFileSync(path, readFileSync(path, 'utf8').replace('"b"', '"x"'));
  const rotten = await open(root);
  t.same(
    rotten.pending().map(({ key }) => key),
    ['a', 'c', 'e'],
  );
  await rotten.settle(['a', 'c', 'e']);
  t.match(filesIn(root), [/\.damaged$/], 'for a person to look at');
  await rotten.close();
});

t.test('the journal is bounded, in files and as a whole', async (t) => {
  const root = newRoot(t);
  const journal = await open(root, { maxBytes: 400, fileBytes: 100 });
  const results = [];
  for (let index = 0; index < 20; index += 1) {
    results.push(
      await journal.append(entry(`key-${index}`)).then(
        () => 'kept',
        (error: { code: string }) => error.code,
      ),
    );
  }

  t.ok(results.includes('kept'));
  t.equal(results.at(-1), 'sos_not_persisted');
  t.ok(filesIn(root).length > 1, 'in several files');
  t.ok(journal.bytes <= 400);
  await journal.settle(journal.pending().map(({ key }) => key));
  await journal.append(entry('room again'));
  t.same(journal.pending(), [entry('room again')]);
  await journal.close();
});

t.test('a disk that fails is said to each who waits, and the next entry tries again', async (t) => {
  const root = newRoot(t);
  const journal = await open(root);
  rmSync(join(root, '0'), { recursive: true });

  const failed = await Promise.allSettled([journal.append(entry('a')), journal.append(entry('b'))]);
  t.same(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  t.same(journal.pending(), []);

  mkdirSync(join(root, '0'));
  await journal.append(entry('a', 7));
  t.equal(journal.find('a'), 7);
  await journal.close();
});

t.test('it says whether it would take a press: not when full, after the disk failed, or closed', async (t) => {
  const root = newRoot(t);
  const clock = { nowMs: 0 };
  const journal = await openJournal<string>({
    settings: { rootDir: root, maxBytes: 65_536 },
    ownerOf: (body) => body,
    log,
    now: () => clock.nowMs,
  });
  t.ok(journal.canTake);
  await journal.append({ key: 'large', body: 'x'.repeat(60_000) });
  t.notOk(journal.canTake, 'no room for a press');
  await journal.settle(['large']);
  t.ok(journal.canTake);

  rmSync(join(root, '0'), { recursive: true });
  await journal.append({ key: 'lost', body: 'a' }).catch(() => undefined);
  t.notOk(journal.canTake, 'the disk failed');
  clock.nowMs += 10_000;
  t.ok(journal.canTake, 'somebody has to try again');
  await journal.append({ key: 'lost', body: 'a' }).catch(() => undefined);
  t.notOk(journal.canTake);
  mkdirSync(join(root, '0'));
  await journal.append({ key: 'kept', body: 'a' });
  t.ok(journal.canTake, 'it has taken one');
  await journal.close();
  t.notOk(journal.canTake);
});

t.test('processes of one node have a folder each, and take over what a dead one left', async (t) => {
  const root = newRoot(t);
  const [one, other] = [await open(root), await open(root)];
  await other.append(entry('left'));
  t.same(await holdAbandoned(root), [], 'both live');
  await other.close();

  const abandoned = await holdAbandoned(root);
  t.equal(abandoned.length, 1);
  t.same(await holdAbandoned(root), [], 'one takes it at a time');
  const left = await openJournal<number>({
    settings: { rootDir: root, maxBytes: 1000 },
    ownerOf,
    log,
    ...(abandoned[0] && { held: abandoned[0] }),
  });
  t.same(left.pending(), [entry('left')]);
  await left.close();
  await one.close();
});

t.test('whatever is damaged, every whole line is read, and nothing else', async () => {
  const bodies = fc.array(fc.string(), { minLength: 1, maxLength: 8 });
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 });
  fc.assert(
    fc.property(bodies, damage, fc.nat(), (given, changes, cut) => {
      const bytes = Buffer.from(given.map((body) => encodeLine({ body })).join(''));
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const text = bytes.subarray(0, bytes.length - (cut % 10)).toString('utf8');
      const known = new Set(given);
      return readLines(text).entries.every((read) => known.has((read as { body: string }).body));
    }),
    { seed, numRuns: 500 },
  );
});
