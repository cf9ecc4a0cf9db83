import { test } from 'tap';
import { createAttempts } from './attempts.ts';

test('every piece has its turn, and what failed first is thrown at the end', async (t) => {
  const work = createAttempts();
  const done: number[] = [];
  const fail = (message: string) => async () => {
    throw new Error(message);
  };
  t.equal(await work.make(async () => done.push(1)), 1);
  t.equal(await work.make(fail('first')), undefined);
  t.equal(await work.make(async () => done.push(2)), 2);
  await work.make(fail('second'));
  t.throws(() => work.throwFirst(), { message: 'first' });
});

test('where nothing failed nothing is thrown', async (t) => {
  const work = createAttempts();
  await work.make(async () => undefined);
  t.doesNotThrow(() => work.throwFirst());
});
