import { type DriverState, driverStates, type Position } from '@hushryd/contracts/fix';

/*
 * A position as it lies in Redis and travels on the feed. Little endian:
 *
 *   0 u8 state · 1 f64 run · 9 u32 seq · 13 f64 recordedAtMs · 21 i32 lat · 25 i32 lng (degrees × 10⁷)
 *   29 u16 speed (cm/s) · 31 u16 heading (degrees × 100) · 33 u16 accuracy (dm) · 35 u8 battery · 36 u8 length + trip id
 *
 * All ones mean "not given". write-batch.lua reads run and seq at 1, the trip's length at 36, and sets the state itself;
 * driver-state.lua likewise. A feed message is f64 number, then records: u8 kind, u8 length + driver id, and for a position
 * u8 length + the value above.
 */
const tripOffset = 36;
const absent16 = 0xffff;
const absent8 = 0xff;
const goneKind = 2;

/**
 * Everything of a position but its state (the first byte of the value, which the script decides). Speed is kept to 1 cm/s,
 * heading to 0.01°, accuracy to 0.1 m, coordinates to 10⁻⁷ degrees (1 cm).
 */
export function encodePosition(
  position: Omit<Position, 'driverId' | 'state' | 'tripId'> & { tripId?: string | undefined },
): Buffer {
  const tripId = position.tripId ?? '';
  const value = Buffer.allocUnsafe(tripOffset + tripId.length);
  value.writeDoubleLE(position.run, 0);
  value.writeUInt32LE(position.seq, 8);
  value.writeDoubleLE(position.recordedAtMs, 12);
  writeMotion(value, 20, position);
  value.writeUInt8(tripId.length, tripOffset - 1);
  value.write(tripId, tripOffset, 'latin1');
  return value;
}

interface Motion {
  lat: number;
  lng: number;
  speedMps?: number | undefined;
  headingDegrees?: number | undefined;
  accuracyMeters?: number | undefined;
  batteryPercent?: number | undefined;
}

/** Motion as positions and streamed fixes share it: i32 lat, i32 lng, u16 speed, u16 heading, u16 accuracy, u8 battery; 15 bytes. */
export function writeMotion(buffer: Buffer, at: number, motion: Motion): void {
  buffer.writeInt32LE(Math.round(motion.lat * 1e7), at);
  buffer.writeInt32LE(Math.round(motion.lng * 1e7), at + 4);
  buffer.writeUInt16LE(scaled(motion.speedMps, 100), at + 8);
  buffer.writeUInt16LE(scaled(motion.headingDegrees, 100), at + 10);
  buffer.writeUInt16LE(scaled(motion.accuracyMeters, 10), at + 12);
  buffer.writeUInt8(motion.batteryPercent === undefined ? absent8 : Math.round(motion.batteryPercent), at + 14);
}

const scaled = (value: number | undefined, factor: number) =>
  value === undefined ? absent16 : Math.min(absent16 - 1, Math.round(value * factor));

/** Reads what `writeMotion` wrote; what was not given is left out. */
export function readMotion(buffer: Buffer, at: number) {
  const speed = buffer.readUInt16LE(at + 8);
  const heading = buffer.readUInt16LE(at + 10);
  const accuracy = buffer.readUInt16LE(at + 12);
  const battery = buffer.readUInt8(at + 14);
  return {
    lat: buffer.readInt32LE(at) / 1e7,
    lng: buffer.readInt32LE(at + 4) / 1e7,
    ...(speed !== absent16 && { speedMps: speed / 100 }),
    ...(heading !== absent16 && { headingDegrees: heading / 100 }),
    ...(accuracy !== absent16 && { accuracyMeters: accuracy / 10 }),
    ...(battery !== absent8 && { batteryPercent: battery }),
  };
}

/** Decode a value of the positions hash, or one inside a feed message at `start`. */
export function decodePosition(driverId: string, value: Buffer, start = 0): Position {
  const tripLength = value.readUInt8(start + tripOffset);
  const tripStart = start + tripOffset + 1;
  return {
    driverId,
    ...(tripLength > 0 && { tripId: value.toString('latin1', tripStart, tripStart + tripLength) }),
    state: driverStates[value.readUInt8(start)] as DriverState,
    run: value.readDoubleLE(start + 1),
    seq: value.readUInt32LE(start + 9),
    recordedAtMs: value.readDoubleLE(start + 13),
    ...readMotion(value, start + 21),
  };
}

/** Of a packed position, without decoding the rest of it. */
export const peekRecordedAtMs = (value: Buffer): number => value.readDoubleLE(13);

export function peekTripId(value: Buffer): string | undefined {
  const length = value.readUInt8(tripOffset);
  return length === 0 ? undefined : value.toString('latin1', tripOffset + 1, tripOffset + 1 + length);
}

/** Does this position count for a trip? */
export const isOnTrip = (value: Buffer): boolean => value.readUInt8(tripOffset) > 0;

/** Number of a feed message: rises by one a message within its partition. */
export const feedNumber = (message: Buffer): number => message.readDoubleLE(0);

/** What a node does with the positions it hears of. */
export interface PositionSink {
  /** Is anybody here interested in this driver? Called for every record, so it must be cheap. */
  wants(driverId: string): boolean;
  onPosition(position: Position): void;
  /** The driver was silent for five minutes and has no position any more. */
  onGone(driverId: string): void;
}

/** Walk the records of a feed message; positions of drivers that nobody here wants are skipped undecoded. */
export function readFeedMessage(message: Buffer, sink: PositionSink): void {
  let at = 8;
  while (at < message.length) {
    const kind = message[at];
    const driverLength = message[at + 1] as number;
    const driverId = message.toString('latin1', at + 2, at + 2 + driverLength);
    at += 2 + driverLength;
    if (kind === goneKind) {
      if (sink.wants(driverId)) sink.onGone(driverId);
      continue;
    }
    const valueLength = message[at] as number;
    if (sink.wants(driverId)) sink.onPosition(decodePosition(driverId, message, at + 1));
    at += 1 + valueLength;
  }
}
