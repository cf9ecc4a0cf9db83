import { writeFilterQuery } from '@hushryd/contracts/http/filter-query';
import type {
  Alert,
  AlertState,
  ListAlertsQuery,
  ListAlertsReply,
  SosReply,
  SosTrigger,
} from '@hushryd/contracts/http/sos';
import type { AlertTrailReply, PostSosFixesBody, SosFixesReply } from '@hushryd/contracts/http/sos-trail';
import type { TimelineReply } from '@hushryd/contracts/http/timeline';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import type { Ask } from './ask.ts';

/** `json`: the sealed timeline, to be verified by anybody. `gpx`: where the phones were. */
export type AlertExportFormat = 'json' | 'gpx';

/** `state` or `states`, not both. */
export interface AlertQuery
  extends Pick<ListAlertsQuery, 'state' | 'drills' | 'limit' | 'cursor'>,
    Pick<TopicFilter, 'bbox' | 'text'> {
  states?: AlertState[];
}

/** Calling for help, and what the staff do about it. Every call may throw `HttpProblem`. */
export interface SosRequests {
  /** Call for help. The app makes `alertId` once and sends the same until it is answered; `createSosSender` does that by itself. */
  raiseSos(trigger: SosTrigger): Promise<SosReply>;
  /** Try out whom an SOS of mine would reach: my contacts are told that it is an exercise. A few an hour, else `drill_limit`. */
  raiseDrill(alertId: string): Promise<SosReply>;
  /**
   * End one's own alert by PIN. The duress PIN is answered alike, and ends nothing: the operators are told. `sos_pin_refused` where it is
   * neither or too many were wrong, `sos_pin_unset` where there are none.
   */
  cancelAlert(alertId: string, pin: string): Promise<Alert>;
  /** The app has shown a push about an alert: `attempt_id` of its data. Send it again where the answer does not come. */
  seenAlert(alertId: string, attemptId: string): Promise<void>;
  /** One's own alert, or staff: any; by the id of any press that counts for it. */
  getAlert(alertId: string): Promise<Alert>;
  /**
   * Staff: open ones first, then newest first; follow `nextCursor` until it is null, also after a page that is short or empty. Drills only
   * where `drills` asks for them. `bbox`, `states` and `text` are the filter of `watchAlerts`.
   */
  listAlerts(query?: AlertQuery): Promise<ListAlertsReply>;
  /** Staff: the escalation stops. `sos_taken` where a colleague was faster; a `SosReply` where the database is away and will hear of it. */
  acknowledgeAlert(alertId: string): Promise<Alert | SosReply>;
  /** Staff: work on it. `sos_taken` where a colleague has it, unless it is taken over. */
  claimAlert(alertId: string, options?: { takeOver?: boolean }): Promise<Alert>;
  /** Staff: the person's own verified number is called. The same `callId` again is one call; `sos_phone_unknown` where there is none. */
  callPerson(alertId: string, call?: { callId?: string }): Promise<Alert>;
  /** Staff. Made once with a `noteId`, a note may be sent again. */
  noteAlert(alertId: string, note: { noteId: string; text: string }): Promise<Alert>;
  /** Staff: the person was helped. */
  resolveAlert(alertId: string, reason: string): Promise<Alert>;
  /** Staff: nothing was wrong. */
  dismissAlert(alertId: string, reason: string): Promise<Alert>;
  /** Staff: everything that happened to an alert, in order; follow `nextCursor` until it is null. */
  timelineOf(alertId: string, page?: { cursor?: string; limit?: number }): Promise<TimelineReply>;
  /** Staff: as a file, to be saved as it is. That it was read becomes a fact of the alert. */
  exportAlert(alertId: string, format?: AlertExportFormat): Promise<string>;
  /** The alerting person's own fixes; `sendSosFixes` of the clients sends them until they are stored. */
  postSosFixes(alertId: string, body: PostSosFixesBody): Promise<SosFixesReply>;
  /** Where the person and the trip's driver have been since the alert; follow `nextCursor` until it is null. */
  getAlertTrail(alertId: string, page?: { cursor?: string; limit?: number }): Promise<AlertTrailReply>;
}

export function createSosRequests({ get, post, file }: Pick<Ask, 'get' | 'post' | 'file'>): SosRequests {
  const path = (alertId: string, action?: string): string =>
    `/v1/sos/${encodeURIComponent(alertId)}${action === undefined ? '' : `/${action}`}`;
  return {
    raiseSos: (trigger) => post('/v1/sos', trigger),
    raiseDrill: (alertId) => post('/v1/sos/drill', { alertId }),
    cancelAlert: (alertId, pin) => post(path(alertId, 'cancel'), { pin }),
    seenAlert: (alertId, attemptId) => post(path(alertId, 'seen'), { attemptId }),
    getAlert: (alertId) => get(path(alertId)),
    listAlerts: ({ bbox, states, text, ...query } = {}) =>
      get('/v1/sos', { ...query, ...writeFilterQuery({ bbox, states, text }) }),
    acknowledgeAlert: (alertId) => post(path(alertId, 'acknowledge'), {}),
    claimAlert: (alertId, { takeOver } = {}) =>
      post(path(alertId, 'claim'), takeOver === undefined ? {} : { takeOver }),
    callPerson: (alertId, call = {}) => post(path(alertId, 'call'), call),
    noteAlert: (alertId, note) => post(path(alertId, 'note'), note),
    resolveAlert: (alertId, reason) => post(path(alertId, 'resolve'), { reason }),
    dismissAlert: (alertId, reason) => post(path(alertId, 'false-alarm'), { reason }),
    timelineOf: (alertId, page) => get(path(alertId, 'timeline'), { ...page }),
    exportAlert: (alertId, format = 'json') => file(path(alertId, format === 'gpx' ? 'export.gpx' : 'export')),
    postSosFixes: (alertId, body) => post(path(alertId, 'fixes'), body),
    getAlertTrail: (alertId, page) => get(path(alertId, 'trail'), { ...page }),
  };
}
