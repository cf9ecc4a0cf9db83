import type { Position } from '@hushryd/contracts/fix';

/**
 * A position as JSON. Written by hand: `JSON.stringify` takes three times as long, and this runs once for every fix that anybody here
 * watches. Ids, states and topics hold no character that JSON escapes (contracts/ids).
 */
export function encodePosition(position: Position): string {
  let text = `{"driverId":"${position.driverId}"`;
  if (position.tripId !== undefined) text += `,"tripId":"${position.tripId}"`;
  text += `,"state":"${position.state}","run":${position.run},"seq":${position.seq},"recordedAtMs":${position.recordedAtMs}`;
  text += `,"lat":${position.lat},"lng":${position.lng}`;
  if (position.accuracyMeters !== undefined) text += `,"accuracyMeters":${position.accuracyMeters}`;
  if (position.speedMps !== undefined) text += `,"speedMps":${position.speedMps}`;
  if (position.headingDegrees !== undefined) text += `,"headingDegrees":${position.headingDegrees}`;
  if (position.batteryPercent !== undefined) text += `,"batteryPercent":${position.batteryPercent}`;
  return `${text}}`;
}

/** @param position from `encodePosition`, so that the frames of several topics share the work */
export const positionFrame = (topic: string, position: string): string =>
  `{"type":"position","topic":"${topic}","position":${position}}`;

/** For a slow socket: positions in between were left out. */
export const jumpFrame = (topic: string, position: string): string =>
  `{"type":"position","topic":"${topic}","position":${position},"jump":true}`;

export const goneFrame = (topic: string, driverId: string): string =>
  `{"type":"gone","topic":"${topic}","driverId":"${driverId}"}`;
