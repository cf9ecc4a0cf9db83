import type { UnsubFrame } from '@hushryd/contracts/realtime/client-frames';
import type { FrameHandler } from './dispatch.ts';
import { leaveTopic } from './subscribe.ts';

/** `unsub`: leave a topic; also where one was not in it. Nothing of the topic follows the answer. */
export const handleUnsubscribe: FrameHandler<UnsubFrame> = (connection, { id, topic }) => {
  leaveTopic(connection, topic);
  connection.sendFrame({ type: 'unsubscribed', ...(id !== undefined && { id }), topic });
};
