import type { PingFrame } from '@hushryd/contracts/realtime/client-frames';
import type { FrameHandler } from './dispatch.ts';

/** `ping`: is anybody there, and what time is it? */
export const handlePing: FrameHandler<PingFrame> = (connection, { id }) => {
  connection.sendFrame({ type: 'pong', ...(id !== undefined && { id }), serverTimeMs: Date.now() });
};
