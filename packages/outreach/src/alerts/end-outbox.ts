import type { PlannedEntry } from './trigger-record.ts';

/** Channels by which whoever was told of an alert hears that it is over: nobody is called for that. */
const closingChannels = ['sms', 'whatsapp', 'push', 'email', 'app'];

/**
 * The outbox of an alert that somebody acknowledges or ends, as an expression of that same update, so that a crash after it loses nothing.
 *
 * Nobody on call is called any more. The newest incident is acknowledged, or all are resolved. At the end nothing is sent any more that was not
 * taken yet, and the contacts who were told hear that it is over.
 */
export function outboxAfter(change: 'acknowledge' | 'close'): object {
  const others = { $filter: { input: '$outbox', as: 'entry', cond: isKept } };
  return change === 'acknowledge'
    ? { $concatArrays: [others, [acknowledgedIncident]] }
    : { $concatArrays: [{ $map: { input: others, as: 'entry', in: ended } }, resolvedIncidents, toldContacts] };
}

/** The outbox with everything ended that is not yet, and nobody told of it. */
export const endedOutbox = (): object => ({ $map: { input: '$outbox', as: 'entry', in: ended } });

/** The outbox and these. */
export function withEntries(entries: readonly PlannedEntry[]): object {
  return { $concatArrays: ['$outbox', entries.map((entry) => newEntry({ $literal: entry }))] };
}

function newEntry(fields: object): object {
  return {
    $mergeObjects: [fields, { $literal: { state: 'PENDING', fence: 0, attempts: 0, tries: [] } }, { dueAt: '$$NOW' }],
  };
}

/** Those that were opened, the newest last. They stay in the outbox when they have been sent. */
const openedIncidents = {
  $filter: {
    input: '$outbox',
    as: 'opened',
    cond: {
      $and: [
        { $eq: ['$$opened.recipient.kind', 'incident'] },
        { $eq: [{ $ifNull: ['$$opened.purpose', null] }, null] },
      ],
    },
  },
};
const openedRecipients = { $map: { input: openedIncidents, as: 'opened', in: '$$opened.recipient' } };
const atVersion = { $toString: '$version' };

const acknowledgedIncident = newEntry({
  // A name of its own each time: it may be acknowledged, pressed again, acknowledged.
  entryId: { $concat: ['incident-acknowledge-', atVersion] },
  recipient: { $ifNull: [{ $arrayElemAt: [openedRecipients, -1] }, { $literal: { kind: 'incident' } }] },
  channel: 'incident',
  purpose: 'acknowledge',
});
const resolvedIncidents = {
  $map: {
    input: openedRecipients,
    as: 'opened',
    in: newEntry({
      entryId: { $concat: ['incident-resolve-', atVersion, '-', { $ifNull: ['$$opened.round', 'first'] }] },
      recipient: '$$opened',
      channel: 'incident',
      purpose: 'resolve',
    }),
  },
};

const isOld = { $ne: [{ $ifNull: ['$$entry.purpose', null] }, null] };
const isOver = { $eq: [{ $type: '$$entry.dueAt' }, 'null'] };
/** Of what was said of an earlier acknowledgement nothing is kept once it is over. */
const isKept = { $and: [{ $ne: ['$$entry.recipient.kind', 'on_call'] }, { $not: [{ $and: [isOld, isOver] }] }] };

/** A higher fence voids what its holder still writes. */
const ended = {
  $cond: [
    isOver,
    '$$entry',
    {
      $mergeObjects: [
        '$$entry',
        {
          state: { $cond: [{ $eq: ['$$entry.state', 'ACCEPTED'] }, 'ACCEPTED', 'FAILED'] },
          fence: { $add: ['$$entry.fence', 1] },
          dueAt: { $literal: null },
          tries: { $literal: [] },
          reason: 'closed',
        },
      ],
    },
  ],
};

const wasTold = {
  $or: [{ $in: ['$$told.state', ['SENDING', 'ACCEPTED', 'DELIVERED']] }, { $gt: ['$$told.attempts', 0] }],
};
const toldContacts = {
  $map: {
    input: {
      $filter: {
        input: '$outbox',
        as: 'told',
        cond: {
          $and: [{ $eq: ['$$told.recipient.kind', 'contact'] }, { $in: ['$$told.channel', closingChannels] }, wasTold],
        },
      },
    },
    as: 'told',
    in: newEntry({
      entryId: { $concat: ['over-', '$$told.entryId'] },
      recipient: '$$told.recipient',
      channel: '$$told.channel',
      purpose: 'resolve',
    }),
  },
};
