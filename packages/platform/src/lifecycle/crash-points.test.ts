import { spawnSync } from 'node:child_process';
import t from 'tap';
import { toCrashSetting } from '../config/faults-environment.ts';
import { createCrashPoints } from './crash-points.ts';

t.test('a crash point needs leave, and production gives none', async (t) => {
  const env = { NODE_ENV: 'test', HUSHRYD_FAULTS: true };

  t.equal(toCrashSetting(env), undefined);
  t.same(toCrashSetting({ ...env, CRASH_AT: 'after_persist' }), { point: 'after_persist', pass: 1 });
  t.same(toCrashSetting({ ...env, CRASH_AT: 'after_persist:5' }), { point: 'after_persist', pass: 5 });
  t.throws(
    () => toCrashSetting({ ...env, HUSHRYD_FAULTS: false, CRASH_AT: 'after_persist' }),
    /without HUSHRYD_FAULTS/,
  );
  t.throws(() => toCrashSetting({ ...env, NODE_ENV: 'production' }), /NODE_ENV is production/);
});

t.test('a process dies at the named place, at the named time of passing, and at no other', async (t) => {
  const survivor = createCrashPoints({ points: ['here', 'there'], setting: { point: 'elsewhere', pass: 1 } });
  survivor('here');

  const script = `
    import { createCrashPoints } from ${JSON.stringify(new URL('./crash-points.ts', import.meta.url).href)};
    const crashAt = createCrashPoints({ points: ['here', 'there'], setting: { point: 'here', pass: 2 } });
    for (const point of ['there', 'here', 'there', 'here']) { crashAt(point); console.log(point); }
  `;
  const { signal, stdout } = spawnSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', script]);
  t.equal(signal, 'SIGKILL');
  t.equal(stdout.toString(), 'there\nhere\nthere\n');
});
