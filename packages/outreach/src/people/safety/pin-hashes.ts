import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { BlindIndex } from '@hushryd/platform/crypto/blind-index';
import { createLimitInFlight } from '@hushryd/platform/lifecycle/limit-in-flight';

/** Both PINs of a person under one salt, so that one derivation answers for both. */
export interface PinHashes {
  salt: string;
  /** The N of scrypt that made them. */
  cost: number;
  cancel: string;
  duress: string;
}

export interface PinHasher {
  hash(pins: { userId: string; cancel: string; duress: string }): Promise<PinHashes>;
  /** The same work and the same comparisons whichever PIN it is, and where there are none. */
  compare(
    hashes: PinHashes | undefined,
    given: { userId: string; pin: string },
  ): Promise<'cancel' | 'duress' | 'neither'>;
}

const scryptOf = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);
const hashBytes = 32;
/** libuv has four threads, and the journal of alerts waits for them too: half stay free of this. */
const maxDerivationsAtOnce = 2;

/**
 * scrypt (N = 16,384, r = 8, p = 1) over a keyed hash: ten thousand PINs are tried out in minutes by whoever has the salt, so what is
 * hashed depends on a key that is not in the database either.
 *
 * @param cost N of scrypt for new PINs; stored ones keep theirs
 * Cost: some 30 ms and 16 MiB in libuv's pool for each call, two at a time in all of this hasher.
 */
export function createPinHasher({ blindIndex, cost = 16_384 }: { blindIndex: BlindIndex; cost?: number }): PinHasher {
  /** Compared with where there is nothing; no PIN gives it. */
  const nothing: PinHashes = { salt: '', cost, cancel: '', duress: '' };

  const inTurn = createLimitInFlight(maxDerivationsAtOnce);

  async function derive(userId: string, pin: string, salt: string, n: number): Promise<Buffer> {
    const secret = blindIndex('safety_settings.pin', `${userId}.${pin}`);
    return inTurn(() => scryptOf(secret, Buffer.from(salt, 'base64url'), hashBytes, { N: n }));
  }

  return {
    async hash({ userId, cancel, duress }) {
      const salt = randomBytes(16).toString('base64url');
      const [ofCancel, ofDuress] = await Promise.all([
        derive(userId, cancel, salt, cost),
        derive(userId, duress, salt, cost),
      ]);
      return { salt, cost, cancel: ofCancel.toString('base64url'), duress: ofDuress.toString('base64url') };
    },

    async compare(hashes = nothing, { userId, pin }) {
      const derived = await derive(userId, pin, hashes.salt, hashes.cost);
      const isCancel = isEqual(derived, hashes.cancel);
      const isDuress = isEqual(derived, hashes.duress);
      if (isCancel) return 'cancel';
      return isDuress ? 'duress' : 'neither';
    },
  };
}

function isEqual(derived: Buffer, stored: string): boolean {
  const expected = Buffer.alloc(hashBytes);
  const length = Buffer.from(stored, 'base64url').copy(expected);
  return timingSafeEqual(derived, expected) && length === hashBytes;
}
