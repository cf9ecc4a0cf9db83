import { driverStates, type Position } from '../../fix.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { positionKind } from './frame-kinds.ts';
import { toUnits, unitsPerDegree, unitsPerHeadingDegree, unitsPerMeter, unitsPerMps } from './units.ts';

/*
 * A `position` frame in binary, the same bytes for every binary socket of a room (docs/realtime-protocol.md has the table):
 *
 *   u8 0x12 · varint room · u8 flags · varint run · varint seq · varint time · signed lat, lng
 *   [varint accuracy] · [varint speed] · [varint heading] · [u8 battery] · [u8 length + trip id]
 *
 * Whose position it is, and in a trip's room of which trip, was said with the room's number in `subscribed`.
 */
const stateMask = 3;
const hasAccuracy = 4;
const hasSpeed = 8;
const hasHeading = 16;
const hasBattery = 32;
const isJump = 64;
const hasTripId = 128;

/** Room for any numbers. Without the trip id a stored position (speed, heading, accuracy of 16 bit) takes at most 51 bytes, as a rule 33. */
const maxBytes = 80 + 65;

const writer = new ByteWriter(maxBytes);

/** What the bytes of a frame say; who and which trip come from the room. */
export interface RoomPosition {
  room: number;
  position: Omit<Position, 'driverId'>;
  isJump: boolean;
}

/**
 * A position as one room is told it, rounded as `encodeLocFrame` says, which changes no stored position.
 *
 * @param namesTrip in a driver's room: the trip may be another each time, so the frame names it
 * @param isJump for a slow socket: positions in between were left out
 * Cost: 0.23 µs, as much as the JSON; one allocation.
 */
export function encodePositionFrame({
  room,
  position,
  namesTrip,
  isJump: jumps = false,
}: {
  room: number;
  position: Position;
  namesTrip: boolean;
  isJump?: boolean;
}): Uint8Array<ArrayBuffer> {
  const { tripId, run, accuracyMeters, speedMps, headingDegrees, batteryPercent } = position;
  const isTripNamed = namesTrip && tripId !== undefined;
  writer.start(positionKind);
  writer.writeVarint(room);
  writer.writeByte(
    driverStates.indexOf(position.state) |
      (accuracyMeters === undefined ? 0 : hasAccuracy) |
      (speedMps === undefined ? 0 : hasSpeed) |
      (headingDegrees === undefined ? 0 : hasHeading) |
      (batteryPercent === undefined ? 0 : hasBattery) |
      (jumps ? isJump : 0) |
      (isTripNamed ? hasTripId : 0),
  );
  writer.writeVarint(run);
  writer.writeVarint(position.seq);
  writer.writeVarint(position.recordedAtMs);
  writer.writeSigned(toUnits(position.lat, unitsPerDegree));
  writer.writeSigned(toUnits(position.lng, unitsPerDegree));
  if (accuracyMeters !== undefined) writer.writeVarint(toUnits(accuracyMeters, unitsPerMeter));
  if (speedMps !== undefined) writer.writeVarint(toUnits(speedMps, unitsPerMps));
  if (headingDegrees !== undefined) writer.writeVarint(toUnits(headingDegrees, unitsPerHeadingDegree));
  if (batteryPercent !== undefined) writer.writeByte(toUnits(batteryPercent));
  if (isTripNamed) writer.writeText(tripId);
  return writer.finish();
}

/**
 * @returns undefined for another kind of frame, as a newer server may send
 * @throws RangeError where the bytes are no such frame
 */
export function decodePositionFrame(bytes: Uint8Array): RoomPosition | undefined {
  const reader = new ByteReader(bytes);
  if (reader.readByte() !== positionKind) return undefined;
  const room = reader.readVarint();
  const flags = reader.readByte();
  const state = driverStates[flags & stateMask];
  const run = reader.readVarint();
  const seq = reader.readVarint();
  const recordedAtMs = reader.readVarint();
  const lat = reader.readSigned() / unitsPerDegree;
  const lng = reader.readSigned() / unitsPerDegree;
  if (state === undefined) throw new RangeError('A position frame with an unknown state');
  const position: RoomPosition['position'] = { state, run, seq, recordedAtMs, lat, lng };
  if ((flags & hasAccuracy) !== 0) position.accuracyMeters = reader.readVarint() / unitsPerMeter;
  if ((flags & hasSpeed) !== 0) position.speedMps = reader.readVarint() / unitsPerMps;
  if ((flags & hasHeading) !== 0) position.headingDegrees = reader.readVarint() / unitsPerHeadingDegree;
  if ((flags & hasBattery) !== 0) position.batteryPercent = reader.readByte();
  if ((flags & hasTripId) !== 0) position.tripId = reader.readText();
  if (!reader.isDone) throw new RangeError('A position frame of another length than it says');
  return { room, position, isJump: (flags & isJump) !== 0 };
}
