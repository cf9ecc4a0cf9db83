import type { Channel, ProviderName } from '../provider.ts';

/** What a person sees of a message. */
export interface MessageContent {
  readonly from?: string;
  readonly text?: string;
  readonly subject?: string;
  readonly html?: string;
  readonly title?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export type CallState = 'ringing' | 'answered' | 'completed' | 'busy' | 'no-answer';

export interface PlayedCall {
  state: CallState;
  /** What was read out so far. */
  readonly said: string[];
  /** Keys pressed so far, an entry a time. */
  readonly digits: string[];
  /** Keys are waited for. */
  canPress: boolean;
}

export interface PlayedMessage {
  /** Order of arrival, for `since`. */
  readonly seq: number;
  /** The vendor's id. */
  readonly id: string;
  readonly provider: ProviderName;
  readonly channel: Channel;
  readonly recipient: string;
  readonly attemptId: string | undefined;
  /** `X-Request-ID` of the call that brought it. */
  readonly correlationId: string | undefined;
  readonly receivedAtMs: number;
  readonly content: MessageContent;
  /** False where the vendor lies: it says delivered, and no phone shows it. */
  readonly isShown: boolean;
  /** The newest that the vendor told of it, or would tell. */
  status: string;
  call?: PlayedCall;
  /** What went back to us, in order. */
  readonly receipts: { readonly status: string; readonly httpStatus: number | undefined }[];
}

export interface MessageFilter {
  readonly recipient?: string | undefined;
  readonly channel?: string | undefined;
  readonly provider?: string | undefined;
  readonly attemptId?: string | undefined;
  /** Only messages above this seq. */
  readonly since?: number | undefined;
}

export interface MessageStore {
  readonly lastSeq: number;
  readonly droppedCount: number;
  add(message: Omit<PlayedMessage, 'seq'>): PlayedMessage;
  /** Tell watchers that something about it has changed. */
  touch(message: PlayedMessage): void;
  get(id: string): PlayedMessage | undefined;
  list(filter?: MessageFilter): PlayedMessage[];
  /** The first shown message that fits, kept already or yet to come. */
  next(filter: MessageFilter, options: { signal: AbortSignal }): Promise<PlayedMessage | undefined>;
  watch(watcher: (message: PlayedMessage | undefined) => void): () => void;
  clear(): void;
}

/** Keeps the newest messages, at most `maxMessages`; the oldest go, counted. */
export function createMessageStore({ maxMessages }: { maxMessages: number }): MessageStore {
  const messages = new Map<string, PlayedMessage>();
  const watchers = new Set<(message: PlayedMessage | undefined) => void>();
  let lastSeq = 0;
  let droppedCount = 0;
  const tell = (message: PlayedMessage | undefined) => {
    for (const watcher of watchers) watcher(message);
  };

  return {
    get lastSeq() {
      return lastSeq;
    },
    get droppedCount() {
      return droppedCount;
    },
    add(message) {
      lastSeq += 1;
      const kept = { ...message, seq: lastSeq };
      messages.set(kept.id, kept);
      const [oldest] = messages.keys();
      if (messages.size > maxMessages && oldest !== undefined) {
        messages.delete(oldest);
        droppedCount += 1;
      }
      tell(kept);
      return kept;
    },
    touch: tell,
    get: (id) => messages.get(id),
    list: (filter = {}) => [...messages.values()].filter((message) => fits(message, filter)),
    next(filter, { signal }) {
      const kept = [...messages.values()].find((message) => message.isShown && fits(message, filter));
      if (kept !== undefined || signal.aborted) return Promise.resolve(kept);
      return new Promise((resolve) => {
        const end = (message: PlayedMessage | undefined) => {
          watchers.delete(offer);
          signal.removeEventListener('abort', giveUp);
          resolve(message);
        };
        const giveUp = () => end(undefined);
        const offer = (message: PlayedMessage | undefined) => {
          if (message?.isShown && fits(message, filter)) end(message);
        };
        watchers.add(offer);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    clear() {
      messages.clear();
      tell(undefined);
    },
  };
}

function fits(message: PlayedMessage, filter: MessageFilter): boolean {
  return (
    (filter.recipient === undefined || message.recipient === filter.recipient) &&
    (filter.channel === undefined || message.channel === filter.channel) &&
    (filter.provider === undefined || message.provider === filter.provider) &&
    (filter.attemptId === undefined || message.attemptId === filter.attemptId) &&
    (filter.since === undefined || message.seq > filter.since)
  );
}
