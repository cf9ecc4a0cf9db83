import type { Channel, ProviderName } from '../provider.ts';

/** What is asked before a call of a provider is answered. */
export interface ObservedCall {
  readonly provider: ProviderName;
  readonly channel: Channel;
  readonly recipient: string;
  readonly providerMessageId: string;
  /** Found in the call: see SendContext. */
  readonly attemptId: string | undefined;
}

export interface Refusal {
  readonly call: ObservedCall;
  /** What the observer answered, or that it did not. */
  readonly reason: string;
  readonly atMs: number;
}

export interface CallObserver {
  /** Resolves when the observer has answered; what it refuses is kept. Never rejects. */
  ask(call: ObservedCall): Promise<void>;
  readonly askedCount: number;
  readonly refusedCount: number;
  /** The newest, at most 1000. */
  readonly refusals: readonly Refusal[];
  clear(): void;
}

const maxRefusals = 1_000;
const answerWithinMs = 10_000;

/**
 * Asks `CALL_OBSERVER_URL` about each call before it is answered: a test looks there whether the alert was stored before anybody was
 * told. Anything but a 2xx is a refusal. Without an address nobody is asked.
 */
export function createCallObserver({ url }: { url: string | undefined }): CallObserver {
  let askedCount = 0;
  let refusedCount = 0;
  let refusals: Refusal[] = [];

  return {
    async ask(call) {
      if (url === undefined) return;
      askedCount += 1;
      const reason = await refusalOf(url, call);
      if (reason === undefined) return;
      refusedCount += 1;
      refusals = [...refusals, { call, reason, atMs: Date.now() }].slice(-maxRefusals);
    },
    get askedCount() {
      return askedCount;
    },
    get refusedCount() {
      return refusedCount;
    },
    get refusals() {
      return refusals;
    },
    clear() {
      askedCount = 0;
      refusedCount = 0;
      refusals = [];
    },
  };
}

async function refusalOf(url: string, call: ObservedCall): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(call),
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const text = await response.text();
    return response.ok ? undefined : `${response.status} ${text.slice(0, 200)}`;
  } catch (error) {
    // A checker that cannot be asked has not agreed.
    return `no answer: ${error instanceof Error ? error.name : 'unknown'}`;
  }
}
