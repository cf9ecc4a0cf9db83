import type { CallObserver } from './call-observer.ts';
import type { Fault, FaultMode, FaultPlan } from './fault-plan.ts';
import type { MessageStore } from './message-store.ts';
import type { Phones } from './phones.ts';
import type { ReceiptSender } from './receipt-sender.ts';
import {
  isAnswer,
  type Order,
  type PlayedEvent,
  type RefusalMode,
  type VendorAnswer,
  type VendorCall,
  type VendorPlay,
} from './vendors/vendor-play.ts';

/** How the connection is treated once it is clear what would be answered. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: VendorAnswer }
  | { readonly kind: 'drip'; readonly answer: VendorAnswer; readonly everyMs: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset' };

export interface CallCounts {
  /** All calls of a vendor's API that exists. */
  calls: number;
  accepted: number;
  refused: number;
  /** By fault mode. */
  faults: Partial<Record<FaultMode, number>>;
}

export interface PlayDependencies {
  readonly store: MessageStore;
  readonly faults: FaultPlan;
  readonly observer: CallObserver;
  readonly sender: ReceiptSender;
  readonly phones: Phones;
  readonly countsOf: (play: VendorPlay) => CallCounts;
}

const refusalModes: readonly FaultMode[] = ['500', '429', 'auth', 'invalid-recipient', 'error-in-200'];

/**
 * One call of a vendor's API, in this order: credentials, what is asked for, the observer, the fault that is due, the answer, receipts.
 *
 * The observer is asked about every call that a vendor would take, also where a fault then refuses it: whoever made the call meant to
 * reach a person.
 */
export async function playCall(play: VendorPlay, call: VendorCall, dependencies: PlayDependencies): Promise<Reply> {
  const counts = dependencies.countsOf(play);
  counts.calls += 1;
  const refuse = (answer: VendorAnswer): Reply => {
    counts.refused += 1;
    return { kind: 'answer', answer };
  };
  if (!play.isGenuine(call)) return refuse(play.refuse('auth', {}));
  const order = play.read(call);
  if (isAnswer(order)) return refuse(order);

  const { provider, channel } = play;
  const { id, recipient, attemptId } = order;
  await dependencies.observer.ask({ provider, channel, recipient, providerMessageId: id, attemptId });
  const fault = dependencies.faults.take({ provider, recipient });
  if (fault !== undefined) counts.faults[fault.mode] = (counts.faults[fault.mode] ?? 0) + 1;
  if (fault?.mode === 'hang' || fault?.mode === 'reset') return { kind: fault.mode };
  if (fault !== undefined && refusalModes.includes(fault.mode)) {
    return refuse(play.refuse(fault.mode as RefusalMode, fault));
  }

  counts.accepted += 1;
  const requestId = call.headers['x-request-id'];
  const correlationId = typeof requestId === 'string' ? requestId : undefined;
  take({ play, order, fault, correlationId }, dependencies);
  const answer = play.accept(order);
  if (fault?.mode === 'answer-lost') return { kind: 'reset' };
  if (fault?.mode === 'slow-drip') return { kind: 'drip', answer, everyMs: fault.dripEveryMs ?? 500 };
  return { kind: 'answer', answer };
}

/** The vendor has it: it reaches a phone, or the vendor says so. */
function take(
  {
    play,
    order,
    fault,
    correlationId,
  }: { play: VendorPlay; order: Order; fault: Fault | undefined; correlationId: string | undefined },
  { store, sender, phones }: PlayDependencies,
): void {
  const isLie = fault?.mode === 'lying';
  const isLost = fault?.mode === 'undelivered';
  const message = store.add({
    id: order.id,
    provider: play.provider,
    channel: play.channel,
    recipient: order.recipient,
    attemptId: order.attemptId,
    correlationId,
    receivedAtMs: Date.now(),
    content: order.content,
    isShown: !isLie && !isLost,
    status: 'accepted',
    receipts: [],
    ...(order.voice !== undefined && { call: { state: 'ringing', said: [], digits: [], canPress: false } }),
  });
  if (message.isShown) phones.receive({ play, message, order, fault });
  if (message.isShown && message.call !== undefined) return;

  const end: PlayedEvent = isLost ? 'undelivered' : 'delivered';
  const way: PlayedEvent[] = order.voice === undefined ? ['accepted', 'sent'] : ['accepted', 'ringing'];
  const ends: PlayedEvent[] = isLie && order.voice !== undefined ? ['answered', 'completed'] : [end];
  sender.tell({ play, message, order, fault, events: [...way, ...ends] });
}
