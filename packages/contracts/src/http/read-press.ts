import type { Static, TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { IdSchema } from '../ids.ts';
import {
  AccuracyMetersSchema,
  BatteryPercentSchema,
  IsoTimeSchema,
  LatitudeSchema,
  LongitudeSchema,
} from '../units.ts';
import {
  maxDeviceTextLength,
  maxNoteLength,
  type SosDevice,
  SosDeviceSchema,
  type SosLocation,
  SosLocationSchema,
  type SosTrigger,
  sosTriggerFields,
  TriggerIdSchema,
} from './sos.ts';

/** What of a press may have to be left out, as it is counted and logged. `other`: whatever the schema does not know. */
export const pressParts = [
  'triggeredAt',
  'location',
  'location.accuracyMeters',
  'location.recordedAt',
  'batteryPercent',
  'device',
  'device.platform',
  'device.model',
  'device.osVersion',
  'device.appVersion',
  'tripId',
  'note',
  'other',
] as const;
export type PressPart = (typeof pressParts)[number];

export interface ReadPress {
  /** Always one that `SosTriggerSchema` takes. */
  trigger: SosTrigger;
  /** What could not be taken as it came, each once. Names alone: what stood there says who and where somebody is. */
  dropped: PressPart[];
}

/** Longer ones are times with a fraction that nobody measures. */
const maxTimeLength = 40;

/**
 * A press as it came, whatever is wrong with it: nobody stays without help because a phone says -1 for a battery that it cannot read.
 * Only `alertId` has to be right. A `triggeredAt` that cannot be read becomes the time of receipt, as does the `recordedAt` of a place;
 * text that is too long is cut; anything else that the schema refuses is left out by itself; what was valid stays as it was.
 *
 * Pure. Never throws, whatever JSON is given.
 *
 * @param given what was parsed, unchecked
 * @param nowMs time of receipt, epoch milliseconds
 * @returns undefined where there is no valid `alertId`
 * Cost: that of the known fields, and one look at each name beside them; nothing unknown is descended into.
 */
export function readPress(given: unknown, nowMs: number): ReadPress | undefined {
  if (!isRecord(given) || !Check(TriggerIdSchema, given.alertId)) return undefined;
  const reading = beginReading(nowMs);
  const trigger: SosTrigger = {
    alertId: given.alertId,
    triggeredAt: reading.time('triggeredAt', given.triggeredAt),
  };
  const location = readLocation(reading, given.location);
  if (location !== undefined) trigger.location = location;
  const batteryPercent = reading.value('batteryPercent', BatteryPercentSchema, given.batteryPercent);
  if (batteryPercent !== undefined) trigger.batteryPercent = batteryPercent;
  const device = readDevice(reading, given.device);
  if (device !== undefined) trigger.device = device;
  const tripId = reading.value('tripId', IdSchema, given.tripId);
  if (tripId !== undefined) trigger.tripId = tripId;
  const note = reading.text('note', maxNoteLength, given.note);
  if (note !== undefined) trigger.note = note;
  reading.noteOthers(given, sosTriggerFields);
  return { trigger, dropped: pressParts.filter((part) => reading.dropped.has(part)) };
}

/** A place is worth having without its radius, and without its time: it came with the press. */
function readLocation(reading: Reading, given: unknown): SosLocation | undefined {
  if (given === undefined) return undefined;
  if (!isRecord(given) || !Check(LatitudeSchema, given.lat) || !Check(LongitudeSchema, given.lng)) {
    reading.dropped.add('location');
    return undefined;
  }
  const accuracyMeters = reading.value('location.accuracyMeters', AccuracyMetersSchema, given.accuracyMeters);
  reading.noteOthers(given, SosLocationSchema.properties);
  return {
    lat: given.lat,
    lng: given.lng,
    ...(accuracyMeters !== undefined && { accuracyMeters }),
    recordedAt: reading.time('location.recordedAt', given.recordedAt),
  };
}

function readDevice(reading: Reading, given: unknown): SosDevice | undefined {
  if (given === undefined) return undefined;
  if (!isRecord(given)) {
    reading.dropped.add('device');
    return undefined;
  }
  const device: SosDevice = {};
  for (const name of ['platform', 'model', 'osVersion', 'appVersion'] as const) {
    const text = reading.text(`device.${name}`, maxDeviceTextLength, given[name]);
    if (text !== undefined) device[name] = text;
  }
  reading.noteOthers(given, SosDeviceSchema.properties);
  return device;
}

type Reading = ReturnType<typeof beginReading>;

/** What is found on the way through one press. */
function beginReading(nowMs: number) {
  const dropped = new Set<PressPart>();
  return {
    dropped,

    value<Schema extends TSchema>(part: PressPart, schema: Schema, given: unknown): Static<Schema> | undefined {
      if (given === undefined) return undefined;
      if (Check(schema, given)) return given;
      dropped.add(part);
      return undefined;
    },

    text(part: PressPart, maxLength: number, given: unknown): string | undefined {
      if (given === undefined) return undefined;
      const text = typeof given === 'string' ? cut(given, maxLength) : '';
      if (text !== given || text === '') dropped.add(part);
      return text === '' ? undefined : text;
    },

    time(part: PressPart, given: unknown): string {
      if (isReadableTime(given)) return given;
      dropped.add(part);
      return new Date(nowMs).toISOString();
    },

    noteOthers(given: Record<string, unknown>, known: object): void {
      if (Object.keys(given).some((name) => !Object.hasOwn(known, name))) dropped.add('other');
    },
  };
}

const isRecord = (given: unknown): given is Record<string, unknown> =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

/** The schema lets leap seconds through, which no clock of ours can read. */
const isReadableTime = (given: unknown): given is string =>
  typeof given === 'string' &&
  given.length <= maxTimeLength &&
  Check(IsoTimeSchema, given) &&
  !Number.isNaN(Date.parse(given));

/** To so many code points, as the schema counts; no half of a pair is left. */
const cut = (text: string, maxLength: number): string =>
  Array.from(text.slice(0, 2 * maxLength))
    .slice(0, maxLength)
    .join('');
