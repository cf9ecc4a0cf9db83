import { toAppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { AnnounceAlert } from '../alerts/announce-alert.ts';
import type { TrackedAlerts } from './tracked-alerts.ts';

/**
 * Whatever is announced of an alert is noted with the alerts that are followed, too; nothing waits for it, and what Redis does not take the
 * worker repeats.
 */
export function trackAnnounced({
  announce,
  tracked,
  log,
}: {
  announce: AnnounceAlert;
  tracked: Pick<TrackedAlerts, 'note'>;
  log: Logger;
}): AnnounceAlert {
  return (announcement) => {
    const { alert, atMs } = announcement;
    // Nobody goes anywhere in a drill.
    if (alert.isDrill) return announce(announcement);
    tracked.note({ ...alert, startedAtMs: atMs }).catch((error: unknown) => {
      log.warn(
        { alertId: alert._id, code: toAppError(error).code },
        'alert not followed in Redis yet, the worker will',
      );
    });
    return announce(announcement);
  };
}
