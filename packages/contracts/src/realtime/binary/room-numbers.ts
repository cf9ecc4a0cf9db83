import type { PositionFrame, ServerFrame } from '../server-frames.ts';
import { parseTopic } from '../topics.ts';
import { decodePositionFrame } from './position-frame.ts';

/** What a client of the binary lane remembers of one socket. */
export interface RoomNumbers {
  /** Every JSON frame of the socket, in order. */
  note(frame: ServerFrame): void;
  /**
   * The bytes of a binary frame as the JSON frame that they stand for.
   *
   * @returns undefined for what is to be passed over: another kind of frame, or a room that was left
   * @throws RangeError where the bytes are no frame
   */
  read(bytes: Uint8Array): PositionFrame | undefined;
}

interface NumberedRoom {
  topic: string;
  driverId: string;
  /** Undefined in a driver's room. */
  tripId: string | undefined;
}

/** Which topic a room's number stands for, as `subscribed` said; as many as the socket has topics. */
export function createRoomNumbers(): RoomNumbers {
  const rooms = new Map<number, NumberedRoom>();

  return {
    note(frame) {
      if (frame.type === 'unsubscribed') forget(frame.topic);
      if (frame.type !== 'subscribed' || frame.room === undefined || frame.driverId === undefined) return;
      forget(frame.topic);
      const { topic, room, driverId } = frame;
      const parsed = parseTopic(topic);
      rooms.set(room, { topic, driverId, tripId: parsed?.kind === 'trip' ? parsed.tripId : undefined });
    },
    read(bytes) {
      const decoded = decodePositionFrame(bytes);
      const room = decoded && rooms.get(decoded.room);
      if (decoded === undefined || room === undefined) return undefined;
      const { topic, driverId, tripId } = room;
      return {
        type: 'position',
        topic,
        position: { driverId, ...(tripId !== undefined && { tripId }), ...decoded.position },
        ...(decoded.isJump && { jump: true as const }),
      };
    },
  };

  function forget(topic: string): void {
    for (const [number, room] of rooms) if (room.topic === topic) rooms.delete(number);
  }
}
