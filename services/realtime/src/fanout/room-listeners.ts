import type { Position } from '@hushryd/contracts/fix';
import { encodePositionFrame } from '@hushryd/contracts/realtime/binary/position-frame';
import { encodePosition, jumpFrame, positionFrame, trailFrame } from './encode-frames.ts';
import type { Room, Subscription } from './subscription.ts';

/** To every socket that hears this channel. */
export type Publish = (channel: string, frame: string | Uint8Array<ArrayBuffer>) => void;

/** Sockets that read JSON hear a room's topic, those of the binary lane this. No id has a `#` in it. */
export const binaryChannel = (room: Room): string => `${room.topic}#b`;

export const listenerCount = ({ listeners }: Room): number => listeners.json + listeners.binary;

/** From here on what is published in the room reaches the socket. */
export function beginToHear({ room, connection }: Subscription): void {
  room.listeners[connection.isBinary ? 'binary' : 'json'] += 1;
  connection.hear(connection.isBinary ? binaryChannel(room) : room.topic);
}

export function stopHearing({ room, connection }: Subscription): void {
  room.listeners[connection.isBinary ? 'binary' : 'json'] -= 1;
  connection.unhear(connection.isBinary ? binaryChannel(room) : room.topic);
}

/** Publish a frame that is JSON in both lanes. */
export function publishText(publish: Publish, room: Room, frame: string): void {
  if (room.listeners.json > 0) publish(room.topic, frame);
  if (room.listeners.binary > 0) publish(binaryChannel(room), frame);
}

/**
 * Give one socket a position of its room, in its own encoding.
 *
 * @param isJump positions in between were left out
 * @returns false where the socket is gone, or could not take it and was closed
 */
export function sendPosition({ room, connection }: Subscription, position: Position, isJump = false): boolean {
  if (room.isTrail) return connection.send(trailFrame(room.topic, position), 'location');
  if (connection.isBinary) {
    const namesTrip = room.tripId === undefined;
    return connection.send(encodePositionFrame({ room: room.number, position, namesTrip, isJump }), 'location');
  }
  const toFrame = isJump ? jumpFrame : positionFrame;
  return connection.send(toFrame(room.topic, encodePosition(position)), 'location');
}

/** What `subscribed` says on a binary socket: which number the room has, and whose positions it shows. */
export const roomNumber = ({ room, connection }: Subscription): { room: number; driverId: string } | undefined =>
  connection.isBinary ? { room: room.number, driverId: room.driverId } : undefined;
