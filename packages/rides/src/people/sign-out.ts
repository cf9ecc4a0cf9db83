import type { Revocation, RevocationReason } from '@hushryd/contracts/http/sessions';
import { toAppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RevocationStore, SessionOfToken } from './revocation-store.ts';

/** What a sign-out works with: the truth, and whoever tells every node (`createRevocationPublisher` of tracking). */
export interface SignOutWork {
  store: Pick<RevocationStore, 'revokeSession' | 'revokeAll'>;
  publisher: { publish(revocation: Revocation): Promise<unknown> };
  log: Logger;
  now?: () => number;
}

/**
 * End one session: its tokens are refused everywhere from here on, and its sockets end within seconds, whichever of its tokens they were
 * opened or refreshed with. Of a session without an id (`sid`) it is the token at hand alone.
 *
 * A failure to tell the nodes is logged and nothing more; the worker publishes what changed within the last minute every two seconds.
 *
 * @throws AppError `database_unavailable`; the outcome is unknown then, and signing out again is harmless
 * Cost: one majority write, one script call.
 */
export async function signOut(work: SignOutWork, { userId, tokenId, sessionId }: SessionOfToken): Promise<void> {
  const session = { userId, tokenId, ...(sessionId !== undefined && { sessionId }) };
  await tell(work, await work.store.revokeSession({ ...session, nowMs: (work.now ?? Date.now)() }));
}

/** The same for every token the user has: signed out by an operator, banned, or given another role. */
export async function signOutEverywhere(
  work: SignOutWork,
  { userId, reason }: { userId: string; reason: RevocationReason },
): Promise<void> {
  await tell(work, await work.store.revokeAll({ userId, reason, nowMs: (work.now ?? Date.now)() }));
}

async function tell({ publisher, log }: SignOutWork, revocation: Revocation): Promise<void> {
  await publisher.publish(revocation).catch((error: unknown) => {
    const { code, message } = toAppError(error);
    log.warn({ userId: revocation.userId, code, reason: message }, 'sign-out not announced, the worker will');
  });
}
