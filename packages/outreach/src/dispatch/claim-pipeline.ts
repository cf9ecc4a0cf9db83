import type { Document } from 'mongodb';
import { appendFacts } from '../alerts/append-facts.ts';
import { settleWork } from '../alerts/work-at.ts';
import type { DispatchSettings } from './dispatch-settings.ts';

/** What is sent to whoever is on call, beside the call. */
export const pagedChannels = ['voice', 'sms', 'push'] as const;
/** A step that comes late by more than this (everything was down) starts the pace anew instead of running after it. */
const latePaceMs = 30_000;

/**
 * The update that takes all that is due of an alert, under a lease and one fence more for each entry, and makes the escalation's step where
 * its time has come: one level up, entries for whoever is on call there, taken at once, and the moment of the next step. Where nothing is due
 * it changes nothing.
 *
 * @param claimId of this claim alone: what has it was taken by it
 */
export function toClaim({
  claimId,
  settings,
}: {
  claimId: string;
  settings: Pick<DispatchSettings, 'leaseMs' | 'escalateEveryMs'>;
}): Document[] {
  const { leaseMs, escalateEveryMs } = settings;
  const leaseEnd = { $add: ['$$NOW', leaseMs] };
  const taken = { state: 'SENDING', takenBy: { $literal: claimId }, dueAt: leaseEnd };
  const level = { $add: ['$escalation.level', 1] };
  const lateMs = msSince('$escalation.nextAt');
  const paged = pagedChannels.map((channel) => ({
    entryId: { $concat: ['on-call-', { $literal: claimId }, `-${channel}`] },
    recipient: { kind: { $literal: 'on_call' }, level },
    channel,
    attempts: { $literal: 0 },
    tries: [],
    fence: { $literal: 1 },
    ...taken,
  }));
  const ifEscalating = (then: unknown, otherwise: unknown) => ({ $cond: ['$isEscalating', then, otherwise] });
  return [
    { $set: { isEscalating: { $and: ['$open', hasCome('$escalation.nextAt')] } } },
    {
      $set: {
        outbox: {
          $concatArrays: [
            {
              $map: {
                input: '$outbox',
                as: 'entry',
                in: {
                  $cond: [
                    hasCome('$$entry.dueAt'),
                    { $mergeObjects: ['$$entry', { ...taken, fence: { $add: ['$$entry.fence', 1] } }] },
                    '$$entry',
                  ],
                },
              },
            },
            ifEscalating(paged, []),
          ],
        },
        escalation: ifEscalating(
          {
            level,
            nextAt: {
              $cond: [
                { $lt: [lateMs, latePaceMs] },
                { $add: ['$escalation.nextAt', escalateEveryMs] },
                { $add: ['$$NOW', escalateEveryMs] },
              ],
            },
            takenBy: { $literal: claimId },
          },
          '$escalation',
        ),
        ...appendFacts(
          [{ fact: { factId: `escalated-${claimId}`, kind: 'escalated' }, computed: { data: { level } } }],
          { onlyIf: '$isEscalating', mayBeLeftOut: true },
        ),
        // People see how far it has gone and when it goes on.
        version: { $add: ['$version', ifEscalating(1, 0)] },
        changedAt: ifEscalating('$$NOW', '$changedAt'),
      },
    },
    { $unset: 'isEscalating' },
    ...settleWork,
  ];
}

/** Not `$lte` or `$subtract` of a stored date and `$$NOW`: SecantusDB compares the two wrongly. */
function msSince(field: string): object {
  return { $dateDiff: { startDate: field, endDate: '$$NOW', unit: 'millisecond' } };
}

/** False where there is no such moment. */
function hasCome(field: string): object {
  return { $gte: [{ $ifNull: [msSince(field), -1] }, 0] };
}
