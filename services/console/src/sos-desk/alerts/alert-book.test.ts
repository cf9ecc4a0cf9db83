import type { SosEvent } from '@hushryd/contracts/events/sos-event';
import type { AlertSummary } from '@hushryd/contracts/http/sos';
import fc from 'fast-check';
import tap from 'tap';
import { createAlertBook, maxOpenAlerts } from './alert-book.ts';
import { compareUrgency, urgencyOf } from './desk-alert.ts';

const at = (second: number) => new Date(1_700_000_000_000 + second * 1000).toISOString();

function alertOf(alertId: string, change: Partial<AlertSummary> = {}): AlertSummary {
  const time = at(0);
  return {
    alertId,
    state: 'open',
    version: 1,
    userId: `rider-${alertId}`,
    role: 'rider',
    triggeredAt: time,
    acceptedAt: time,
    lastPressedAt: time,
    pressCount: 1,
    escalatesAt: at(30),
    ...change,
  };
}

function eventOf(name: SosEvent['name'], version: number, change: Partial<SosEvent> = {}): SosEvent {
  return { name, alertId: 'a', at: at(version), version, state: 'open', userId: 'rider-a', role: 'rider', ...change };
}

tap.test('an event alone brings an alert onto the desk, with its place', async (t) => {
  const book = createAlertBook();
  t.ok(book.tell(eventOf('sos.raised', 1, { lat: 41, lng: -8, locatedAt: at(0), isProvisional: true }), 1));
  t.match(book.open(), [{ alertId: 'a', userId: 'rider-a', isProvisional: true, location: { lat: 41, lng: -8 } }]);
});

tap.test(
  'of what overtakes each other the highest version counts, and an ended alert does not come back',
  async (t) => {
    const events = [
      eventOf('sos.raised', 1),
      eventOf('sos.claimed', 2, { byUserId: 'asha' }),
      eventOf('sos.acknowledged', 3, { byUserId: 'asha', state: 'acknowledged' }),
      eventOf('sos.resolved', 4, { byUserId: 'asha', state: 'resolved' }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: 4 }), fc.integer({ min: 0, max: 4 }), (told, readAt) => {
        const book = createAlertBook();
        for (const [index, event] of told.entries()) {
          // A reading that began before any of it.
          if (index === readAt) book.replace([alertOf('a')], 0);
          book.tell(event, 1);
        }
        book.replace([alertOf('a')], 0);
        t.same(book.open(), []);
      }),
      { numRuns: 60 },
    );
  },
);

tap.test('a reading takes away what has ended elsewhere, and nothing that came after it began', async (t) => {
  const book = createAlertBook();
  book.replace([alertOf('gone'), alertOf('stays')], 10);
  book.tell(eventOf('sos.raised', 1, { alertId: 'new' }), 21);
  book.tell(eventOf('sos.raised', 1, { alertId: 'provisional', isProvisional: true }), 11);
  book.replace([alertOf('stays')], 20);
  t.same(
    book
      .open()
      .map(({ alertId }) => alertId)
      .sort(),
    ['new', 'provisional', 'stays'],
  );
  book.replace([], 100_000);
  t.same(book.open(), [], 'what a database that answers still does not have was never there');
});

tap.test('who works on it, and since when, is known from the event', async (t) => {
  const book = createAlertBook();
  book.learn(alertOf('a'), 1);
  book.tell(eventOf('sos.claimed', 2, { byUserId: 'asha' }), 2);
  t.match(book.open(), [{ claimedBy: 'asha', claimedAt: at(2) }]);
  book.replace([alertOf('a')], 3);
  t.match(book.open(), [{ claimedBy: 'asha' }], 'a reading from before it changes nothing');
  book.tell(eventOf('sos.pressed_again', 3), 4);
  t.equal(urgencyOf(book.open()[0]!), 'unclaimed', 'pressed again after it was claimed: it is loud again');
});

tap.test(
  'a cancel under duress after the claim: nobody works on that yet, nor has anybody acknowledged it',
  async (t) => {
    const book = createAlertBook();
    book.learn(alertOf('a'), 1);
    book.tell(eventOf('sos.claimed', 2, { byUserId: 'asha' }), 2);
    book.tell(eventOf('sos.acknowledged', 3, { byUserId: 'asha', state: 'acknowledged' }), 3);
    t.match(book.open(), [{ acknowledgedBy: 'asha', acknowledgedAt: at(3) }]);
    book.tell(eventOf('sos.duress', 4), 4);
    t.match(book.open(), [{ isDuress: true, claimedBy: 'asha', acknowledgedBy: undefined, acknowledgedAt: undefined }]);
    t.equal(urgencyOf(book.open()[0]!), 'unclaimed');

    const duress = { isDuress: true, duressAt: at(5), claimedBy: 'asha' } as const;
    t.equal(urgencyOf(alertOf('before', { ...duress, claimedAt: at(4) })), 'unclaimed');
    t.equal(urgencyOf(alertOf('after', { ...duress, claimedAt: at(6) })), 'claimed', 'who claims it then knows');
  },
);

tap.test('nobody works on it, nobody has acknowledged it, under duress, who waits longest', async (t) => {
  const alerts = [
    alertOf('acknowledged', { state: 'acknowledged', acceptedAt: at(0) }),
    alertOf('claimed', { claimedBy: 'asha', claimedAt: at(1) }),
    alertOf('newer', { acceptedAt: at(5) }),
    alertOf('older', { acceptedAt: at(2) }),
    alertOf('duress', { acceptedAt: at(9), isDuress: true }),
  ];
  t.same(
    alerts.toSorted(compareUrgency).map(({ alertId }) => alertId),
    ['duress', 'older', 'newer', 'claimed', 'acknowledged'],
  );
});

tap.test('the desk keeps so many alerts and not more', async (t) => {
  const book = createAlertBook();
  book.replace(
    Array.from({ length: maxOpenAlerts + 20 }, (_, index) => alertOf(`a${index}`, { acceptedAt: at(index) })),
    1,
  );
  t.equal(book.open().length, maxOpenAlerts);
  t.equal(book.open()[0]?.alertId, 'a0');
});
