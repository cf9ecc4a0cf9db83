import type { Position } from '@hushryd/contracts/fix';
import type { TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/event-log';

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

/** A point of an alert's trail: of a position what says where and when. */
export function trailFrame(topic: string, position: Position): string {
  let text = `{"type":"trail","topic":"${topic}","points":[{"source":"driver","lat":${position.lat},"lng":${position.lng}`;
  text += `,"recordedAt":"${new Date(position.recordedAtMs).toISOString()}"`;
  if (position.accuracyMeters !== undefined) text += `,"accuracyMeters":${position.accuracyMeters}`;
  if (position.headingDegrees !== undefined) text += `,"headingDegrees":${position.headingDegrees}`;
  if (position.speedMps !== undefined) text += `,"speedMps":${position.speedMps}`;
  return `${text}}]}`;
}

export const goneFrame = (topic: string, driverId: string): string =>
  `{"type":"gone","topic":"${topic}","driverId":"${driverId}"}`;

/**
 * @param filtered.after offset of the event told before it, where a filter left out some in between
 * @param filtered.isGone what it is about does not fit the filter any more
 */
export function encodeEvent(
  { topic, epoch, offset, event }: TopicMessage,
  eventClass: 'event' | 'sos',
  { after, isGone = false }: { after?: number | undefined; isGone?: boolean } = {},
): string {
  return JSON.stringify({
    type: 'event',
    topic,
    epoch,
    offset,
    ...(after !== undefined && { after }),
    event,
    ...(isGone && { gone: true }),
    ...(eventClass === 'sos' && { mustAck: true }),
  });
}

/** What the newest frames of a topic have said. */
export function beaconFrame(
  topic: string,
  newest: Position | 'gone' | undefined,
  place: TopicHead | undefined,
): string {
  let text = `{"type":"beacon","topic":"${topic}"`;
  if (newest === 'gone') text += ',"gone":true';
  else if (newest !== undefined) {
    text += `,"run":${newest.run},"seq":${newest.seq},"state":"${newest.state}"`;
    if (newest.tripId !== undefined) text += `,"tripId":"${newest.tripId}"`;
  }
  if (place !== undefined && place.epoch !== '') text += `,"epoch":"${place.epoch}","offset":${place.offset}`;
  return `${text}}`;
}
