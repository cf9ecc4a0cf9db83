import type { SosEvent } from '@hushryd/contracts/events/sos-event';
import type { TopicEvent } from '@hushryd/contracts/events/topic-event';
import type { AlertSummary, ListAlertsReply } from '@hushryd/contracts/http/sos';
import type { WatchHandlers } from '@hushryd/sdk/watching/watch-handlers';
import { createAlertBook } from './alert-book.ts';
import { type DeskAlert, isOpen } from './desk-alert.ts';

export interface FeedState {
  /** Open alerts, most urgent first. */
  alerts: readonly DeskAlert[];
  /** The list was read at least once. */
  isLoaded: boolean;
  /** When it was last read, by this page's clock. */
  readAtMs: number | undefined;
  /** Why the newest reading failed. */
  error: unknown;
  /** The newest event that asks to be loud, by this page's clock. */
  loud: { alertId: string; atMs: number } | undefined;
}

/** The open alerts of all operators, kept whichever room is shown. */
export interface AlertFeed {
  /** The same object until something changes. */
  state(): FeedState;
  subscribe(listener: () => void): () => void;
  /** Called when something happened to an alert, so that whoever shows it reads it again. */
  onChange(listener: (alertId: string) => void): () => void;
  /** An alert as the answer to an order or a reading had it. */
  learn(alert: AlertSummary): void;
  readNow(): void;
  close(): void;
}

export interface AlertFeedInput {
  watchAlerts(handlers: WatchHandlers): { close(): void };
  listAlerts(query: { limit: number; cursor?: string }): Promise<ListAlertsReply>;
  now?: () => number;
  /** Between two readings: an event may be lost with its server. */
  everyMs?: number;
  /** Events that come together are followed by one reading. */
  afterEventMs?: number;
}

const pageSize = 100;
/** 500 open alerts. */
const maxPages = 5;

/** Events say at once that something happened; readings, right after them and every few seconds, say what is. */
export function createAlertFeed({
  watchAlerts,
  listAlerts,
  now = Date.now,
  everyMs = 4_000,
  afterEventMs = 150,
}: AlertFeedInput): AlertFeed {
  const book = createAlertBook();
  const listeners = new Set<() => void>();
  const followers = new Set<(alertId: string) => void>();
  let state: FeedState = { alerts: [], isLoaded: false, readAtMs: undefined, error: undefined, loud: undefined };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let nextReadAtMs = Number.POSITIVE_INFINITY;
  let isReading = false;
  let isReadAgainDue = false;
  let isClosed = false;

  function become(change: Partial<FeedState>): void {
    state = { ...state, ...change, alerts: book.open() };
    for (const listener of listeners) listener();
  }

  function hear(event: TopicEvent): void {
    if (!isAboutAlert(event)) return;
    const isNews = book.tell(event, now());
    const isLoud = event.sound === true && isNews;
    become(isLoud ? { loud: { alertId: event.alertId, atMs: now() } } : {});
    for (const follower of followers) follower(event.alertId);
    readWithin(afterEventMs);
  }

  /** Within that time: what is due sooner stays, so that events without a pause cannot put it off. */
  function readWithin(ms: number): void {
    const atMs = performance.now() + ms;
    if (isClosed || atMs >= nextReadAtMs) return;
    clearTimeout(timer);
    nextReadAtMs = atMs;
    timer = setTimeout(() => void read(), ms);
  }

  async function read(): Promise<void> {
    clearTimeout(timer);
    nextReadAtMs = Number.POSITIVE_INFINITY;
    if (isReading) {
      isReadAgainDue = true;
      return;
    }
    isReading = true;
    isReadAgainDue = false;
    try {
      const askedAtMs = now();
      book.replace(await listOpen(listAlerts), askedAtMs);
      if (!isClosed) become({ isLoaded: true, readAtMs: now(), error: undefined });
    } catch (error) {
      // The alerts that are known stay: one too many is better than one too few.
      if (!isClosed) become({ error });
    } finally {
      isReading = false;
      readWithin(isReadAgainDue ? afterEventMs : everyMs);
    }
  }

  const watch = watchAlerts({ onEvent: hear, onSubscribed: () => void read(), onMissed: () => void read() });
  void read();

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onChange(follower) {
      followers.add(follower);
      return () => followers.delete(follower);
    },
    learn(alert) {
      book.learn(alert, now());
      become({});
    },
    readNow: () => void read(),
    close() {
      isClosed = true;
      clearTimeout(timer);
      watch.close();
    },
  };
}

/** Open ones come first, so the reading ends with the first one that is not. */
async function listOpen(listAlerts: AlertFeedInput['listAlerts']): Promise<AlertSummary[]> {
  const found: AlertSummary[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const reply: ListAlertsReply = await listAlerts({ limit: pageSize, ...(cursor !== null && { cursor }) });
    const open = reply.alerts.filter(isOpen);
    found.push(...open);
    cursor = reply.nextCursor;
    if (cursor === null || open.length < reply.alerts.length) break;
  }
  return found;
}

const isAboutAlert = (event: TopicEvent): event is SosEvent =>
  event.name.startsWith('sos.') && event.name !== 'sos.drill';
