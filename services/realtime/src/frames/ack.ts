import type { AckFrame } from '@hushryd/contracts/realtime/client-frames';
import type { SosRepeats } from '../fanout/sos-repeats.ts';
import type { FrameHandler } from './dispatch.ts';

/** `ack`: the client has every event of the topic up to a place; they are not said again. Also of topics it is not in: then it is void. */
export function createAckHandler(sosRepeats: SosRepeats): FrameHandler<AckFrame> {
  return (connection, frame) => sosRepeats.ack(connection, frame);
}
