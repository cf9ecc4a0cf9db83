import { stat } from 'node:fs/promises';
import t from 'tap';
import { createPinHasher } from './pin-hashes.ts';

t.test('PINs that are compared leave threads to the disk, on which an alert waits', async (t) => {
  const hasher = createPinHasher({ blindIndex: (_place, text) => text });
  let compared = 0;
  const comparing = Array.from({ length: 12 }, async () => {
    await hasher.compare(undefined, { userId: 'rita', pin: '1234' });
    compared += 1;
  });

  await stat('.');

  t.ok(compared <= 2, `${compared} were compared before a file was looked at`);
  await Promise.all(comparing);
});
