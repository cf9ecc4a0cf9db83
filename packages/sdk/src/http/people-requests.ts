import type { Contact, ContactsReply, MaskedContactsReply, PutContactBody } from '@hushryd/contracts/http/contacts';
import type { OnCallReply, PutOnCallBody } from '@hushryd/contracts/http/on-call';
import type { PutSafetyBody, SafetyReply } from '@hushryd/contracts/http/safety';
import type { CheckCodeBody, CodeChannel, SendCodeReply } from '@hushryd/contracts/person';
import type { Ask } from './ask.ts';

/** Whom an alert reaches. Every call may throw `HttpProblem`. */
export interface PeopleRequests {
  /** One's own emergency contacts. */
  listContacts(): Promise<ContactsReply>;
  /** Add an emergency contact of one's own under the app's id, or replace it. */
  putContact(contactId: string, contact: PutContactBody): Promise<Contact>;
  /** No alert reaches them any more. One that is not there is as gone as it should be. */
  removeContact(contactId: string): Promise<void>;
  /** A code goes to the contact, who reads it to the person; `code_limit` where one was sent just now. */
  sendContactCode(contactId: string, channel: CodeChannel): Promise<SendCodeReply>;
  /** The code that the contact was sent: their number, or email, is theirs. */
  checkContactCode(contactId: string, answer: CheckCodeBody): Promise<Contact>;
  /** One's own number and language, and whether there are PINs. */
  getSafety(): Promise<SafetyReply>;
  /** One's own number, language and PINs; what is left out stays. */
  putSafety(settings: PutSafetyBody): Promise<SafetyReply>;
  /** A code goes to one's own number. */
  sendSafetyCode(channel: CodeChannel): Promise<SendCodeReply>;
  /** The code that arrived there: the number is one's own. */
  checkSafetyCode(answer: CheckCodeBody): Promise<SafetyReply>;
  /** Staff: who there is to be reached for somebody, without any number. */
  listContactsOf(userId: string): Promise<MaskedContactsReply>;
  /** Staff: the rota, and who is called now. */
  getOnCall(): Promise<OnCallReply>;
  /** Staff: replace the rota whose version was read; `version_conflict` where somebody was faster. */
  putOnCall(rota: PutOnCallBody): Promise<OnCallReply>;
}

export function createPeopleRequests({
  get,
  post,
  put,
  done,
}: Pick<Ask, 'get' | 'post' | 'put' | 'done'>): PeopleRequests {
  const contactPath = (contactId: string): string => `/v1/users/me/contacts/${encodeURIComponent(contactId)}`;
  return {
    listContacts: () => get('/v1/users/me/contacts'),
    putContact: (contactId, contact) => put(contactPath(contactId), contact),
    removeContact: (contactId) => done({ method: 'DELETE', path: contactPath(contactId) }),
    sendContactCode: (contactId, channel) => post(`${contactPath(contactId)}/codes`, { channel }),
    checkContactCode: (contactId, answer) => post(`${contactPath(contactId)}/codes/check`, answer),
    getSafety: () => get('/v1/users/me/safety'),
    putSafety: (settings) => put('/v1/users/me/safety', settings),
    sendSafetyCode: (channel) => post('/v1/users/me/safety/codes', { channel }),
    checkSafetyCode: (answer) => post('/v1/users/me/safety/codes/check', answer),
    listContactsOf: (userId) => get(`/v1/users/${encodeURIComponent(userId)}/contacts`),
    getOnCall: () => get('/v1/on-call'),
    putOnCall: (rota) => put('/v1/on-call', rota),
  };
}
