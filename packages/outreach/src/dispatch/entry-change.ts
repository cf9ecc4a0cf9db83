import type { Document } from 'mongodb';
import type { AlertFact, EntryEndReason, EntryTry, OutboxEntry } from '../alerts/alert-document.ts';
import { appendFacts } from '../alerts/append-facts.ts';
import type { PlannedEntry } from '../alerts/trigger-record.ts';
import { settleWork } from '../alerts/work-at.ts';
import type { SealedContact } from '../people/contacts/contact-seal.ts';

/** What has become of an entry, by whoever took it: void where somebody else has taken it since. */
export interface Outcome {
  kind: 'outcome';
  entryId: string;
  fence: number;
  state: OutboxEntry['state'];
  reason?: EntryEndReason;
  /** When somebody has to look again, from now; null where nothing is awaited. */
  dueInMs: number | null;
  /** How many attempts it says something of. */
  attempts: number;
  addTries: EntryTry[];
  /** All providers once more. */
  isNewRound?: boolean;
  /** Contacts that could not be read before, and their entries. */
  expanded?: { contacts: SealedContact[]; version: number; entries: PlannedEntry[] };
}

/** What a provider told of an attempt. */
export interface Told {
  kind: 'told';
  entryId: string;
  number: string;
  /** `failed` with what to do next; `unanswered`: the call rang. */
  result: Exclude<EntryTry['result'], 'accepted'>;
  /** Of an entry that several people share: more of the try that has arrived, which may not be known yet. */
  sharedTry?: Pick<EntryTry, 'provider' | 'endedAtMs'>;
}

export type EntryChange = (Outcome | Told) & { fact?: Omit<AlertFact, 'at'> };

/**
 * The update that applies changes to an alert, each under its own condition, in one write. Entries for whoever was on call are dropped when
 * they have ended, since there is no end to them.
 */
export function toChanges(changes: readonly EntryChange[]): Document[] {
  const facts = changes.flatMap(({ fact }) => (fact === undefined ? [] : [{ fact }]));
  const expansions = changes.flatMap((change) =>
    change.kind === 'outcome' && change.expanded !== undefined ? [{ ...change, expanded: change.expanded }] : [],
  );
  return [
    ...expansions.map(toExpansion),
    ...changes.map(
      (change): Document => ({
        $set: {
          outbox: {
            $map: {
              input: '$outbox',
              as: 'entry',
              in: change.kind === 'outcome' ? applyOutcome(change) : applyTold(change),
            },
          },
        },
      }),
    ),
    {
      $set: {
        outbox: { $filter: { input: '$outbox', as: 'entry', cond: { $not: [hasLeft] } } },
        ...(facts.length > 0 && appendFacts(facts, { mayBeLeftOut: true })),
      },
    },
    ...settleWork,
  ];
}

const hasLeft = {
  $and: [{ $eq: ['$$entry.recipient.kind', 'on_call'] }, { $eq: [{ $type: '$$entry.dueAt' }, 'null'] }],
};

/** A write whose answer was lost is made again: a try is known by its number. One whose receipt came first has not been counted yet. */
function applyOutcome({ entryId, fence, state, reason, dueInMs, attempts, addTries, isNewRound }: Outcome): object {
  const known = isNewRound ? [] : '$$entry.tries';
  const numbers = { $map: { input: '$$entry.tries', as: 'old', in: '$$old.number' } };
  const isNew = { $not: [{ $in: ['$$made.number', numbers] }] };
  const counted = { $filter: { input: '$$entry.tries', as: 'old', cond: { $ne: ['$$old.result', 'arrived'] } } };
  const lastNumber = { $literal: addTries.at(-1)?.number ?? '' };
  const isRepeated = { $in: [lastNumber, { $map: { input: counted, as: 'old', in: '$$old.number' } }] };
  return {
    $cond: [
      { $and: [isEntry(entryId), { $eq: ['$$entry.fence', fence] }] },
      {
        $mergeObjects: [
          '$$entry',
          { $literal: { state, ...(reason !== undefined && { reason }) } },
          {
            dueAt: dueInMs === null ? { $literal: null } : { $add: ['$$NOW', Math.max(0, Math.round(dueInMs))] },
            attempts: { $add: ['$$entry.attempts', { $cond: [isRepeated, 0, attempts] }] },
            tries:
              dueInMs === null && state !== 'ACCEPTED'
                ? []
                : { $concatArrays: [known, { $filter: { input: { $literal: addTries }, as: 'made', cond: isNew } }] },
          },
        ],
      },
      '$$entry',
    ],
  };
}

function applyTold(told: Told): object {
  const { entryId, number, result } = told;
  const hasArrived = { $eq: ['$$entry.state', 'DELIVERED'] };
  if (result === 'arrived') {
    return { $cond: [{ $and: [isEntry(entryId), { $not: [hasArrived] }] }, toArrived(told), '$$entry'] };
  }
  const isLatest = {
    // SecantusDB does not read `$$entry.tries.number`, a path through a list of a variable.
    $let: {
      vars: { last: { $arrayElemAt: ['$$entry.tries', -1] } },
      in: { $eq: ['$$last.number', { $literal: number }] },
    },
  };
  const tries = {
    $map: {
      input: '$$entry.tries',
      as: 'try',
      in: {
        $cond: [
          { $eq: ['$$try.number', { $literal: number }] },
          { $mergeObjects: ['$$try', { $literal: { result } }] },
          '$$try',
        ],
      },
    },
  };
  // Whoever has gone on to another provider does not go back.
  return {
    $cond: [
      { $and: [isEntry(entryId), { $eq: ['$$entry.state', 'ACCEPTED'] }, isLatest] },
      { $mergeObjects: ['$$entry', { state: 'PENDING', dueAt: '$$NOW', tries }] },
      '$$entry',
    ],
  };
}

/**
 * What arrived has arrived, whoever sends it at the moment: the higher fence stops them. Nothing undoes it.
 *
 * Of a text that several people share one receipt says nothing of the others: nobody who still sends it is stopped, and it is DELIVERED
 * when each that was taken has arrived.
 */
function toArrived({ number, sharedTry }: Told): object {
  const delivered = {
    $mergeObjects: [
      // Of one that had ended as lost, since no answer came through.
      { $setField: { field: 'reason', input: '$$entry', value: '$$REMOVE' } },
      { state: 'DELIVERED', dueAt: { $literal: null }, tries: [], fence: { $add: ['$$entry.fence', 1] } },
    ],
  };
  if (sharedTry === undefined) return delivered;
  const isOther = { $ne: ['$$try.number', { $literal: number }] };
  const others = { $filter: { input: '$$entry.tries', as: 'try', cond: isOther } };
  const isAwaited = { $in: ['accepted', { $map: { input: others, as: 'try', in: '$$try.result' } }] };
  const isLast = { $and: [{ $eq: ['$$entry.state', 'ACCEPTED'] }, { $not: [isAwaited] }] };
  const arrived: EntryTry = { number, result: 'arrived', ...sharedTry };
  const noted = { $mergeObjects: ['$$entry', { tries: { $concatArrays: [[{ $literal: arrived }], others] } }] };
  return { $cond: [isLast, delivered, noted] };
}

/** Before the entry itself is ended, which is what the condition looks at. */
function toExpansion({ entryId, fence, expanded }: Outcome & { expanded: NonNullable<Outcome['expanded']> }): Document {
  const isMine = {
    $anyElementTrue: [
      {
        $map: {
          input: '$outbox',
          as: 'entry',
          in: { $and: [isEntry(entryId), { $eq: ['$$entry.fence', fence] }] },
        },
      },
    ],
  };
  const planned = expanded.entries.map((entry) => ({
    $mergeObjects: [{ $literal: { ...entry, state: 'PENDING', fence: 0, attempts: 0, tries: [] } }, { dueAt: '$$NOW' }],
  }));
  const there = { $map: { input: '$outbox', as: 'entry', in: '$$entry.entryId' } };
  const isMissing = { $not: [{ $in: ['$$planned.entryId', there] }] };
  const added = { $filter: { input: planned, as: 'planned', cond: isMissing } };
  return {
    $set: {
      outbox: { $cond: [isMine, { $concatArrays: ['$outbox', added] }, '$outbox'] },
      contacts: { $cond: [isMine, { $literal: expanded.contacts }, '$contacts'] },
      contactsVersion: { $cond: [isMine, { $literal: expanded.version }, '$contactsVersion'] },
    },
  };
}

function isEntry(entryId: string): object {
  return { $eq: ['$$entry.entryId', { $literal: entryId }] };
}
