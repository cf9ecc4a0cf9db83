import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import tap from 'tap';
import { describeCloseCode, describeUpgrade, upgradeOutcomes } from './close-code-words.ts';

tap.test('every code of ours has a name and says what the app does then', async (t) => {
  for (const code of Object.values(closeCodes)) t.not(describeCloseCode(code).name, 'Unknown', String(code));
  t.match(describeCloseCode(4502), { name: 'Ended by an operator', afterwards: 'stays away' });
  t.equal(describeCloseCode(4401).afterwards, 'comes back');
  t.equal(describeCloseCode(1006).afterwards, 'comes back');
  t.equal(describeCloseCode(1000).afterwards, 'as the app likes');
});

tap.test('what nobody named is shown all the same', async (t) => {
  t.equal(describeCloseCode(4999).name, 'Unknown');
  t.equal(describeUpgrade('teleported').name, 'teleported');
  t.equal(describeUpgrade('rate_limited').name, 'Put off');
  t.equal(upgradeOutcomes[0], 'accepted');
});
