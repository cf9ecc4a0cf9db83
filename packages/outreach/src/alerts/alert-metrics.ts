import { type PressPart, pressParts } from '@hushryd/contracts/http/read-press';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { type PersonFixPart, personFixParts } from '../trail/accept-person-fixes.ts';

interface Count {
  inc(): void;
}
interface CountBy<Label extends string, Value extends string = string> {
  inc(labels: Record<Label, Value>): void;
}

export interface AlertMetrics {
  /** What of presses could not be taken as it came. */
  partsDropped: CountBy<'field', PressPart>;
  /** What of the fixes of people in danger was left out, or set right. */
  fixPartsChanged: CountBy<'field', PersonFixPart>;
  accepted: CountBy<'durability'>;
  notPersisted: Count;
  /** For whoever sends what nothing holds. */
  unpersistedNotify: Count;
  acceptSeconds: { observe(labels: { durability: string }, seconds: number): void };
  processingSeconds: { observe(seconds: number): void };
  announceFailed: Count;
  replayed: CountBy<'source'>;
  replayFailed: Count;
  intakeSetAside: Count;
}

/** What is watched of the way in (reliability §8). All are there from the start, at 0. */
export function createAlertMetrics(telemetry: Telemetry): AlertMetrics {
  const accepted = telemetry.counter({
    name: 'sos_accepted_total',
    help: 'Presses that were acknowledged, by what held them at that moment',
    labelNames: ['durability'],
  });
  const acceptSeconds = telemetry.histogram({
    name: 'sos_accept_seconds',
    help: 'From a press to its acknowledgement',
    labelNames: ['durability'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 1.5, 2.5],
  });
  for (const durability of ['majority', 'provisional', 'local']) {
    accepted.inc({ durability }, 0);
    acceptSeconds.zero({ durability });
  }
  const partsDropped = telemetry.counter({
    name: 'sos_fields_dropped_total',
    help: 'Fields of presses that were left out, cut or replaced, so that the press could be taken',
    labelNames: ['field'],
  });
  for (const field of pressParts) partsDropped.inc({ field }, 0);
  const fixPartsChanged = telemetry.counter({
    name: 'sos_fix_fields_dropped_total',
    help: 'Fields of fixes of people in danger that were left out or replaced, so that the fix could be kept',
    labelNames: ['field'],
  });
  for (const field of personFixParts) fixPartsChanged.inc({ field }, 0);
  return {
    partsDropped,
    fixPartsChanged,
    accepted,
    notPersisted: telemetry.counter({
      name: 'sos_not_persisted_total',
      help: 'Presses that nothing could hold; they were answered 503',
    }),
    unpersistedNotify: telemetry.counter({
      name: 'sos_unpersisted_notify',
      help: 'Alerts that were sent although nothing could hold them',
    }),
    acceptSeconds,
    processingSeconds: telemetry.histogram({
      name: 'sos_processing_seconds',
      help: 'From a press until it is persisted and announced to the operators',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5],
    }),
    announceFailed: telemetry.counter({
      name: 'sos_announce_failed_total',
      help: 'Announcements to operators that Redis did not take in time; the sweeper repeats them',
    }),
    replayed: telemetry.counter({
      name: 'sos_replayed_total',
      help: 'Presses that reached the database by way of a journal or the intake stream',
      labelNames: ['source'],
    }),
    replayFailed: telemetry.counter({
      name: 'sos_replay_failed_total',
      help: 'Presses that the database refused when they were replayed; they are tried again',
    }),
    intakeSetAside: telemetry.counter({
      name: 'sos_intake_set_aside_total',
      help: 'Entries of the intake stream that nobody could read; they are kept aside for a person to look at',
    }),
  };
}
