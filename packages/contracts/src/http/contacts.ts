import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import {
  ChannelsSchema,
  EmailSchema,
  IsUnreadableSchema,
  LocaleSchema,
  MaskedSchema,
  NameSchema,
  PhoneSchema,
} from '../person.ts';

const closed = { additionalProperties: false };

/** How many emergency contacts a person may have. */
export const maxContacts = 8;

export const ContactParamsSchema = Type.Object({ contactId: IdSchema }, closed);

/**
 * `PUT /v1/users/me/contacts/:contactId`: whom an SOS of mine reaches. The id is the app's, so that a request without an answer can be sent
 * again. `email` wants an email, `app` and `push` the user id of a contact who has the app.
 */
export const PutContactBodySchema = Type.Object(
  {
    name: NameSchema,
    phone: PhoneSchema,
    email: Type.Optional(EmailSchema),
    locale: LocaleSchema,
    channels: ChannelsSchema,
    /** In the person's own words: sister, neighbour. */
    relation: Type.Optional(NameSchema),
    userId: Type.Optional(IdSchema),
  },
  closed,
);
export type PutContactBody = Static<typeof PutContactBodySchema>;

/** A contact as its owner sees it: whoever typed a number has to be able to find the mistake in it. */
export const ContactSchema = Type.Object(
  {
    contactId: IdSchema,
    ...PutContactBodySchema.properties,
    /** A code sent there came back. */
    isPhoneVerified: Type.Boolean(),
    isEmailVerified: Type.Boolean(),
  },
  closed,
);
export type Contact = Static<typeof ContactSchema>;

/** A contact in its owner's list. One that cannot be decrypted says so, and is written to by no alert until it is put again. */
export const ListedContactSchema = Type.Object(
  {
    ...ContactSchema.properties,
    name: Type.Optional(NameSchema),
    phone: Type.Optional(PhoneSchema),
    isUnreadable: Type.Optional(IsUnreadableSchema),
  },
  closed,
);
export type ListedContact = Static<typeof ListedContactSchema>;

/** `GET /v1/users/me/contacts`. The version rises by one with every change; 0 where there never was any. */
export const ContactsReplySchema = Type.Object(
  { version: Type.Integer({ minimum: 0 }), contacts: Type.Array(ListedContactSchema, { maxItems: maxContacts }) },
  closed,
);
export type ContactsReply = Static<typeof ContactsReplySchema>;

/** `GET /v1/users/:id/contacts`, staff: who there is to be reached, without any number. */
export const MaskedContactsReplySchema = Type.Object(
  {
    version: Type.Integer({ minimum: 0 }),
    contacts: Type.Array(
      Type.Object(
        {
          contactId: IdSchema,
          name: Type.Optional(Type.String()),
          phone: Type.Optional(MaskedSchema),
          email: Type.Optional(MaskedSchema),
          locale: LocaleSchema,
          channels: ChannelsSchema,
          relation: Type.Optional(Type.String()),
          userId: Type.Optional(IdSchema),
          isPhoneVerified: Type.Boolean(),
          isEmailVerified: Type.Boolean(),
          isUnreadable: Type.Optional(IsUnreadableSchema),
        },
        closed,
      ),
      { maxItems: maxContacts },
    ),
  },
  closed,
);
export type MaskedContactsReply = Static<typeof MaskedContactsReplySchema>;
