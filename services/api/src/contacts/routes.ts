import {
  ContactParamsSchema,
  ContactSchema,
  ContactsReplySchema,
  MaskedContactsReplySchema,
  PutContactBodySchema,
} from '@hushryd/contracts/http/contacts';
import { UserParamsSchema } from '@hushryd/contracts/http/sessions';
import { CheckCodeBodySchema, SendCodeBodySchema, SendCodeReplySchema } from '@hushryd/contracts/person';
import type { ContactBook } from '@hushryd/outreach/people/contacts/contact-book';
import { type ContactProof, checkContactCode, sendContactCode } from '@hushryd/outreach/people/contacts/verify-contact';
import { contactsView } from '@hushryd/outreach/people/people-rules';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { ApiServer } from '../api-server.ts';
import type { AuditOrder } from '../audit-order.ts';
import { toCodeReply } from '../code-reply.ts';
import { NoContentSchema } from '../no-content.ts';
import { maskContact } from './mask-contact.ts';

const tags = ['contacts'];
const riders = ['driver', 'rider'] as const;

/** Whom an SOS reaches: a person's own contacts, and staff's view of them. */
export function addContactRoutes(
  app: ApiServer,
  { book, codes, safety, log }: ContactProof & { book: ContactBook; log: Logger },
  auditOrder: AuditOrder,
): void {
  async function list(userId: string): ReturnType<ContactBook['list']> {
    const listed = await book.list(userId);
    const lost = listed.contacts.filter(({ isUnreadable }) => isUnreadable);
    if (lost.length > 0) {
      const contactIds = lost.map(({ contactId }) => contactId);
      log.error({ userId, contactIds }, 'contacts are not readable, no alert reaches them');
    }
    return listed;
  }

  app.get(
    '/v1/users/me/contacts',
    {
      config: { roles: riders },
      schema: {
        tags,
        operationId: 'listContacts',
        summary: 'My emergency contacts',
        response: { 200: ContactsReplySchema },
      },
    },
    ({ identity }) => list(identity.userId),
  );

  app.put(
    '/v1/users/me/contacts/:contactId',
    {
      config: { roles: riders },
      schema: {
        tags,
        operationId: 'putContact',
        summary: 'Add an emergency contact, or change one',
        description:
          'At most eight. Answered, it is what the next alert uses, on every node. Where the answer does not come, send the same again. ' +
          'A number or email that changes has to be verified anew. So does a contact that was unreadable.',
        params: ContactParamsSchema,
        body: PutContactBodySchema,
        response: { 200: ContactSchema, 201: ContactSchema },
      },
    },
    async ({ identity, params, body }, reply) => {
      const { contact, isNew } = await book.put(identity.userId, params.contactId, body);
      return reply.code(isNew ? 201 : 200).send(contact);
    },
  );

  app.delete(
    '/v1/users/me/contacts/:contactId',
    {
      config: { roles: riders },
      schema: {
        tags,
        operationId: 'removeContact',
        summary: 'Remove an emergency contact',
        params: ContactParamsSchema,
        response: { 204: NoContentSchema },
      },
    },
    async ({ identity, params }, reply) => {
      await book.remove(identity.userId, params.contactId);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/users/me/contacts/:contactId/codes',
    {
      config: { roles: riders },
      schema: {
        tags,
        operationId: 'sendContactCode',
        summary: 'Send a contact a code',
        description:
          'Six digits, good for ten minutes and five tries; the contact reads them to the person. They are told who asks by the own number ' +
          'of the person, where that is verified. A new one is sent after 30 s at the ' +
          'earliest, five an hour and ten a day at most, counted by person and by number.',
        params: ContactParamsSchema,
        body: SendCodeBodySchema,
        response: { 202: SendCodeReplySchema },
      },
    },
    async ({ id: correlationId, identity, params, body }, reply) => {
      const order = { userId: identity.userId, contactId: params.contactId, channel: body.channel, correlationId };
      const sent = await sendContactCode({ book, codes, safety }, order);
      return reply.code(202).send(toCodeReply(body.channel, sent));
    },
  );

  app.post(
    '/v1/users/me/contacts/:contactId/codes/check',
    {
      config: { roles: riders },
      schema: {
        tags,
        operationId: 'checkContactCode',
        summary: 'Verify a contact by the code that was sent',
        params: ContactParamsSchema,
        body: CheckCodeBodySchema,
        response: { 200: ContactSchema },
      },
    },
    ({ identity, params, body }) =>
      checkContactCode({ book, codes }, { userId: identity.userId, contactId: params.contactId, ...body }),
  );

  app.get(
    '/v1/users/:id/contacts',
    {
      config: { roles: ['operator'] },
      schema: {
        tags,
        operationId: 'listContactsOfUser',
        summary: "A user's emergency contacts, without their numbers",
        description: 'Each reading is written down.',
        params: UserParamsSchema,
        response: { 200: MaskedContactsReplySchema },
      },
    },
    async ({ identity, params }) => {
      if (contactsView(identity, params.id) !== 'masked') throw new AppError('not_found');
      auditOrder(identity, { action: 'read_contacts', targetUserId: params.id });
      const { version, contacts } = await list(params.id);
      return { version, contacts: contacts.map(maskContact) };
    },
  );
}
