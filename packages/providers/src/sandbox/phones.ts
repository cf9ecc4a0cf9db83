import type { Fault } from './fault-plan.ts';
import type { CallState, MessageStore, PlayedMessage } from './message-store.ts';
import type { ReceiptSender } from './receipt-sender.ts';
import type { Order, PlayedEvent, VendorPlay } from './vendors/vendor-play.ts';

/** People and their phones: what they do with calls and messages. */
export interface Phones {
  /** A message has come: a call rings until somebody takes it, or nobody does. */
  receive(received: Received): void;
  /** @throws PhoneError where no such call rings; `digits` are pressed as soon as the voice has spoken */
  answer(id: string, digits?: string): Promise<PlayedMessage>;
  /** @throws PhoneError where nobody waits for keys */
  press(id: string, digits: string): Promise<PlayedMessage>;
  decline(id: string): PlayedMessage;
  hangUp(id: string): PlayedMessage;
  /** Open a message: vendors that tell it tell that it was read. */
  read(id: string): PlayedMessage;
  clear(): void;
}

interface Received {
  readonly play: VendorPlay;
  readonly message: PlayedMessage;
  readonly order: Order;
  readonly fault: Fault | undefined;
}

/** The order was not one for the state of the phone. */
export class PhoneError extends Error {
  override readonly name = 'PhoneError';
  readonly code = 'phone_state';
}

export function createPhones({
  store,
  sender,
  flowUrls,
  maxKept,
}: {
  store: MessageStore;
  sender: ReceiptSender;
  flowUrls: () => { prompt: string | undefined; digits: string | undefined };
  /** Messages that people may still do something with; the oldest go. */
  maxKept: number;
}): Phones {
  const kept = new Map<string, Received>();
  const timers = new Map<string, NodeJS.Timeout>();

  const find = (id: string): Received => {
    const ringing = kept.get(id);
    if (ringing === undefined) throw new PhoneError('There is no such message.');
    return ringing;
  };
  const callOf = ({ message }: Received, expected: CallState) => {
    if (message.call?.state !== expected) throw new PhoneError(`The call is ${message.call?.state}, not ${expected}.`);
    return message.call;
  };
  function move(ringing: Received, state: CallState, event: PlayedEvent): PlayedMessage {
    const { play, message, order, fault } = ringing;
    clearTimeout(timers.get(message.id));
    timers.delete(message.id);
    if (message.call) Object.assign(message.call, { state, canPress: false });
    sender.tell({ play, message, order, fault, events: [event] });
    return message;
  }
  const inputOf = ({ message, order }: Received) => ({ message, order, flowUrls: flowUrls(), ask: sender.ask });

  async function press(id: string, digits: string): Promise<PlayedMessage> {
    const ringing = find(id);
    const call = callOf(ringing, 'answered');
    if (!call.canPress || ringing.play.pressKeys === undefined) throw new PhoneError('Nobody waits for keys.');
    call.digits.push(digits);
    call.canPress = false;
    const turn = await ringing.play.pressKeys({ ...inputOf(ringing), digits });
    call.said.push(...turn.said);
    if (!turn.canPress) return move(ringing, 'completed', 'completed');
    call.canPress = true;
    store.touch(ringing.message);
    return ringing.message;
  }

  return {
    receive(received) {
      const { play, message, order, fault } = received;
      kept.set(message.id, received);
      const [oldest] = kept.keys();
      if (kept.size > maxKept && oldest !== undefined) {
        clearTimeout(timers.get(oldest));
        timers.delete(oldest);
        kept.delete(oldest);
      }
      if (message.call === undefined) return;
      sender.tell({ play, message, order, fault, events: ['accepted', 'ringing'] });
      const ringMs = (order.voice?.ringSeconds ?? 30) * 1_000;
      timers.set(message.id, setTimeout(() => move(received, 'no-answer', 'no-answer'), ringMs).unref());
    },
    async answer(id, digits) {
      const ringing = find(id);
      const call = callOf(ringing, 'ringing');
      move(ringing, 'answered', 'answered');
      const turn = await ringing.play.answerCall?.(inputOf(ringing));
      call.said.push(...(turn?.said ?? []));
      call.canPress = turn?.canPress ?? false;
      store.touch(ringing.message);
      // A call that only speaks ends when it has spoken.
      if (!call.canPress) return move(ringing, 'completed', 'completed');
      return digits === undefined ? ringing.message : press(id, digits);
    },
    press,
    decline(id) {
      const ringing = find(id);
      callOf(ringing, 'ringing');
      return move(ringing, 'busy', 'busy');
    },
    hangUp(id) {
      const ringing = find(id);
      callOf(ringing, 'answered');
      return move(ringing, 'completed', 'completed');
    },
    read(id) {
      const { play, message, order, fault } = find(id);
      if (message.call !== undefined) throw new PhoneError('A call cannot be opened.');
      sender.tell({ play, message, order, fault, events: ['read'] });
      return message;
    },
    clear() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      kept.clear();
    },
  };
}
