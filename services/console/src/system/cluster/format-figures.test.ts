import tap from 'tap';
import { formatBytes, formatCount } from './format-figures.ts';
import { countOtherKinds } from './topic-kinds.ts';

tap.test('figures are short and have their unit', async (t) => {
  t.equal(formatCount(12_345), '12,345');
  t.equal(formatBytes(88_080_384), '84 MiB');
  t.equal(formatBytes(1_503_238_553), '1.4 GiB');
});

tap.test('a kind of topic that this console does not know is counted among the others', async (t) => {
  t.equal(countOtherKinds({ trip: 3, 'admin:sos': 1 }), 0);
  t.equal(countOtherKinds({ trip: 3, city: 2, zone: 1 }), 3);
});
