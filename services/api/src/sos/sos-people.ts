import { createNoteSealer } from '@hushryd/outreach/alerts/seal-notes';
import type { FieldCipher } from '@hushryd/platform/crypto/field-cipher';
import type { PeopleParts } from '../open-people.ts';
import type { SosPeople } from './open-sos.ts';

/** What alerts need of people: whom to tell, which PIN ends an alert, and a seal for what is written about it. */
export function toSosPeople({
  people: { outreachLists, safety, verifyPin },
  cipher,
}: {
  people: Pick<PeopleParts, 'outreachLists' | 'safety' | 'verifyPin'>;
  cipher: FieldCipher;
}): SosPeople {
  return {
    async readOutreachList(userId, options) {
      const read = await outreachLists.readOutreachList(userId, options);
      return 'missed' in read ? undefined : read.found;
    },
    async verifyPin(userId, pin, options) {
      const verdict = await verifyPin(userId, pin, options);
      if (verdict !== 'wrong') return verdict;
      return (await safety.read(userId)).hasPins ? 'wrong' : 'unset';
    },
    sealer: createNoteSealer(cipher),
  };
}
