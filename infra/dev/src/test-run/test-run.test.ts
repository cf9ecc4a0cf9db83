import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { fullSet } from './full-set.ts';
import { filesToRunAgain, withSecondRun } from './run-again.ts';
import { describeFile, summarise } from './summary.ts';
import { createTapReader, type FileResult } from './tap-reader.ts';

// What tap 21.8 prints for a failing file, a crashed one and a good one.
const recorded = `TAP version 14
1..3
# Subtest: a/bad.test.ts
    # Subtest: outer
        not ok 1 - numbers differ
          ---
          compare: ===
          diff: |
            -2
            +1
          ...
        
        ok 2 - fine
        ok 3 - inner # SKIP no mongod here
        ok 5 - later # TODO
        1..5
    not ok 1 - outer # time=33.405ms
      ---
      at:
        fileName: a/bad.test.ts
      ...
    
    # Subtest: seed
        # seed 42
        ok 1 - x \\# not a skip
        1..1
    ok 4 - seed # time=4.412ms
    
    1..4
    # time=93.037ms
not ok 1 - a/bad.test.ts # time=93.037ms
  ---
  exitCode: 1
  ...

# Subtest: a/crashed.test.ts
    1..0 # no tests found
not ok 2 - a/crashed.test.ts # time=1258.163ms
  ---
  exitCode: 7
  ...

# Subtest: a/good.test.ts
    ok 1 - it works
    1..1
ok 3 - a/good.test.ts # time=700ms

# No coverage generated
# { total: 7, pass: 3, fail: 2, todo: 1, skip: 1 }
# time=2451.967ms`;

function read(text: string) {
  const files: FileResult[] = [];
  const reader = createTapReader((file) => files.push(file));
  for (const line of text.split('\n')) reader.line(line);
  return { files, totals: reader.totals() };
}

t.test('a failure is told once, by the assertion inside, with its diagnostics', async (t) => {
  const [bad, crashed, good] = read(recorded).files;

  t.same(bad?.failures, [
    { path: ['outer', 'numbers differ'], diagnostics: ['compare: ===', 'diff: |', '  -2', '  +1'] },
  ]);
  t.equal(bad?.passed, 2, 'neither skips, todos nor summaries of subtests count');
  t.same(bad?.skips, [{ path: ['outer', 'inner'], reason: 'no mongod here' }]);
  t.same(crashed?.failures, [{ path: [], diagnostics: ['exitCode: 7'] }], 'a crash is a failure of the file');
  t.match(good, { isOk: true, passed: 1, durationMs: 700, failures: [] });
});

t.test('the last line holds the numbers of tap', async (t) => {
  const { files, totals } = read(recorded);

  const summary = summarise({
    run: { exitCode: 1, totals, files, lastErrorLines: ['Error: crash'] },
    failedChecks: [],
  });

  t.equal(summary.lines.at(-1), '3 passed, 2 failed');
  t.notOk(summary.isOk);
  const text = summary.lines.join('\n');
  t.match(text, /outer › numbers differ/);
  t.match(text, /a\/bad\.test\.ts: outer › inner: no mongod here/);
  t.match(text, /Error: crash/, 'a file that crashed shows what was written to stderr');
});

t.test('nothing but a whole and green run says 0 failed', async (t) => {
  const totals = { pass: 7, fail: 0, skip: 0, todo: 0 };
  const green = { exitCode: 0, totals, files: [], lastErrorLines: [] };
  const last = (input: Parameters<typeof summarise>[0]) => summarise(input).lines.at(-1);

  t.equal(last({ run: green, failedChecks: [] }), '7 passed, 0 failed');
  t.equal(last({ run: green, failedChecks: ['lint'] }), '7 passed, 1 failed', 'a failed check');
  t.equal(last({ run: { ...green, totals: undefined }, failedChecks: [] }), '0 passed, 1 failed', 'tap was killed');
  t.equal(last({ run: { ...green, exitCode: 1 }, failedChecks: [] }), '7 passed, 1 failed', 'tap is not content');
});

t.test('what failed beside another file is run once more, and what that says counts', async (t) => {
  const { files, totals } = read(recorded);
  const first = { exitCode: 1, totals, files, lastErrorLines: [] };
  t.same(filesToRunAgain(first), ['a/bad.test.ts', 'a/crashed.test.ts']);
  t.same(filesToRunAgain({ ...first, totals: undefined }), [], 'not where tap was killed');
  const many = Array.from({ length: 5 }, (_, index) => ({ ...files[0]!, file: `${index}.test.ts` }));
  t.same(filesToRunAgain({ ...first, files: many }), [], 'nor where that is no accident');

  const again = (isOk: boolean) => ({
    exitCode: isOk ? 0 : 1,
    totals: { pass: 5, fail: isOk ? 0 : 1, skip: 0, todo: 0 },
    files: ['a/bad.test.ts', 'a/crashed.test.ts'].map((file) => ({ ...files[2]!, file, isOk })),
    lastErrorLines: [],
  });
  const green = summarise({ run: withSecondRun(first, again(true)), failedChecks: [] });
  t.equal(green.lines.at(-1), '6 passed, 0 failed', 'one of the good file, five of the second run');
  t.match(green.lines.join('\n'), /only when run again, alone \(2\):\n {2}a\/bad\.test\.ts: outer › numbers differ/);
  t.match(summarise({ run: withSecondRun(first, again(false)), failedChecks: [] }).lines.at(-1), /, 1 failed$/);
});

t.test('a file is one line', async (t) => {
  const [bad] = read(recorded).files;

  t.equal(bad && describeFile(bad), '  FAILED a/bad.test.ts (2 passed, 1 failed, 1 skipped, 0.1 s)');
});

t.test('what a plain run leaves out is there, named at its end, and run by the command it names', async (t) => {
  const root = new URL('../../../../', import.meta.url);
  const commands = readFileSync(new URL('infra/dev/bootstrap/commands.mjs', root), 'utf8');
  const run = { exitCode: 0, totals: { pass: 7, fail: 0, skip: 0, todo: 0 }, files: [], lastErrorLines: [] };
  const text = summarise({ run, failedChecks: [], leftOut: fullSet }).lines.join('\n');

  for (const { file, command } of fullSet) {
    t.ok(existsSync(new URL(file, root)), file);
    t.match(commands, `'${file}'`);
    t.match(text, `${file}: ${command}`);
  }
});
