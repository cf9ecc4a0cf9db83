import { createRoomNumbers } from '@hushryd/contracts/realtime/binary/room-numbers';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';

/** @returns the frame; undefined for what is to be passed over; an Error for what is no frame */
export type ReadServerFrame = (data: unknown) => ServerFrame | Error | undefined;

/** Reads what one socket brings, in order and in either encoding, as frames. Binary ones become those that they stand for. */
export function createReadServerFrame(): ReadServerFrame {
  const rooms = createRoomNumbers();

  return (data) => {
    try {
      if (data instanceof ArrayBuffer) return rooms.read(new Uint8Array(data));
      const frame: unknown = JSON.parse(String(data));
      if (typeof frame !== 'object' || frame === null || !('type' in frame)) return new Error('A frame without a type');
      rooms.note(frame as ServerFrame);
      return frame as ServerFrame;
    } catch (error) {
      return error as Error;
    }
  };
}
