import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { liveDeadlineMs, withinDeadline } from './within-deadline.ts';

t.test('what hangs is given up at the deadline, what ends before is passed on as it is', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());

  t.equal(await withinDeadline(Promise.resolve('well')), 'well');
  await t.rejects(withinDeadline(Promise.reject(new Error('its own'))), { message: 'its own' });

  let code: string | undefined;
  void withinDeadline(new Promise(() => undefined)).catch((error: { code: string }) => {
    code = error.code;
  });
  mock.timers.tick(liveDeadlineMs - 1);
  await nextTurn();
  t.equal(code, undefined);
  mock.timers.tick(1);
  await nextTurn();
  t.equal(code, 'redis_unavailable');
});
