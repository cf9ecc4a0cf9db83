import type { UserNotice } from '@hushryd/contracts/events/topic-event';
import type { NoticeReply } from '@hushryd/contracts/http/realtime';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import type { PublishEvent } from '@hushryd/platform/topics/publish-event';

/**
 * Put a notice on a user's topic, in order after those before it.
 *
 * @throws AppError `redis_unavailable`, outcome unknown: sent again with the same `noticeId`, the app can tell
 * Cost: one script call.
 */
export async function sendNotice(
  { publishEvent, now = Date.now }: { publishEvent: PublishEvent; now?: () => number },
  {
    userId,
    noticeId,
    title,
    text,
    data,
  }: { userId: string; noticeId: string; title: string; text?: string; data?: Record<string, string> },
): Promise<NoticeReply> {
  const notice: UserNotice = {
    name: 'notice',
    noticeId,
    at: new Date(now()).toISOString(),
    title,
    ...(text !== undefined && { text }),
    ...(data !== undefined && { data }),
  };
  const { epoch, offset } = await publishEvent(userTopic(userId), notice);
  return { noticeId, epoch, offset };
}
