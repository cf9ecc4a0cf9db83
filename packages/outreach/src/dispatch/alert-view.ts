import type { AlertDocument } from '../alerts/alert-document.ts';

/** What is said of an alert to those who are told: all of it stands in a press too, so that a node can send without the database. */
export type AlertView = Pick<
  AlertDocument,
  | '_id'
  | 'state'
  | 'version'
  | 'person'
  | 'trigger'
  | 'region'
  | 'isTokenExpired'
  | 'correlationId'
  | 'acceptedAt'
  | 'pressCount'
  | 'contacts'
  | 'duressAt'
  | 'isDrill'
  | 'escalation'
>;
