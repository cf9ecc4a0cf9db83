import type { ShareReply } from '@hushryd/contracts/http/share';
import { createAsk } from './ask.ts';
import { createSendRequest, type RequestSettings } from './request.ts';

/** For the holder of a contact's link, who needs no login. */
export interface ShareClient {
  /**
   * An alert as the link shows it; ask again every four seconds. `since`: only points that were recorded after it.
   *
   * @param token what stands behind the `#` of the link
   * @throws HttpProblem `link_expired` where it shows nothing any more, `not_found` where it is none of ours
   */
  getShare(token: string, query?: { since?: string }): Promise<ShareReply>;
}

/** No token of a person is asked for or sent: the link is what allows it. */
export function createShareClient(settings: Omit<RequestSettings, 'getToken'>): ShareClient {
  const { get } = createAsk(createSendRequest(settings));
  return { getShare: (token, query) => get(`/v1/share/${encodeURIComponent(token)}`, { ...query }) };
}
