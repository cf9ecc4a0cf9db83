import type { AnnouncedAlert } from './announce-alert.ts';
import type { TriggerRecord } from './trigger-record.ts';

/** What can be said of an alert that the database does not have yet. Pure. */
export function toProvisionalAlert(record: TriggerRecord): AnnouncedAlert {
  return {
    _id: record.triggerId,
    state: 'open',
    version: 1,
    person: { userId: record.userId, role: record.role },
    trigger: record.trigger,
    ...(record.isDrill && { isDrill: record.isDrill }),
  };
}
