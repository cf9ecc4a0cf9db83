import type { ProviderName } from '../provider.ts';

/**
 * - `500`, `429` (with Retry-After), `auth` (credentials refused), `invalid-recipient`, `error-in-200` (an error in the body of a 200):
 *   answers as the vendor documents them; nothing is taken
 * - `hang`: nothing is taken, no answer comes; `reset`: nothing is taken, the connection is cut
 * - `answer-lost`: the message is taken and shown, then the connection is cut; `slow-drip`: taken and shown, the answer comes byte by byte
 * - `accepted-then-silent`: taken and shown, no receipt comes
 * - `lying`: taken, receipts say delivered (or a call answered), and no phone shows anything
 * - `undelivered`: taken, the receipt says that it failed; no phone shows it
 * - `duplicate`: every receipt comes twice; `reordered`: the newest receipt comes first
 */
export const faultModes = [
  '500',
  '429',
  'auth',
  'invalid-recipient',
  'error-in-200',
  'hang',
  'reset',
  'answer-lost',
  'slow-drip',
  'accepted-then-silent',
  'lying',
  'undelivered',
  'duplicate',
  'reordered',
] as const;

export type FaultMode = (typeof faultModes)[number];

export interface Fault {
  readonly provider: ProviderName;
  readonly mode: FaultMode;
  /** Only for this recipient; otherwise for all. */
  readonly recipient?: string;
  /** The next so many calls; without it until it is cleared. */
  readonly count?: number;
  /** 0 to 1, of each call. Default 1. */
  readonly probability?: number;
  /** With `429`. Default 2. */
  readonly retryAfterSeconds?: number;
  /** With `slow-drip`: between two bytes. Default 500. */
  readonly dripEveryMs?: number;
}

export interface FaultPlan {
  /** Joins what was set before; the newest that fits a call is the one that happens. */
  set(fault: Fault): void;
  clear(provider?: string): void;
  /** What shall happen to this call, counted down. */
  take(call: { provider: ProviderName; recipient: string }): Fault | undefined;
  list(): Fault[];
}

/** More are not kept: the oldest goes. */
const maxFaults = 1_000;

export function createFaultPlan({ random = Math.random }: { random?: () => number } = {}): FaultPlan {
  let faults: { fault: Fault; left: number }[] = [];
  return {
    set(fault) {
      faults = [...faults, { fault, left: fault.count ?? Number.POSITIVE_INFINITY }].slice(-maxFaults);
    },
    clear(provider) {
      faults = provider === undefined ? [] : faults.filter(({ fault }) => fault.provider !== provider);
    },
    take({ provider, recipient }) {
      const found = faults.findLast(
        ({ fault }) =>
          fault.provider === provider &&
          (fault.recipient === undefined || fault.recipient === recipient) &&
          random() < (fault.probability ?? 1),
      );
      if (found === undefined) return undefined;
      found.left -= 1;
      if (found.left <= 0) faults = faults.filter((kept) => kept !== found);
      return found.fault;
    },
    list: () => faults.map(({ fault, left }) => (Number.isFinite(left) ? { ...fault, count: left } : fault)),
  };
}
