import Type, { type Static } from 'typebox';

/** A phone number in the form of E.164, with its plus sign and nothing between the digits. */
export const PhoneSchema = Type.String({
  pattern: '^\\+[1-9][0-9]{6,14}$',
  description: 'E.164: a plus sign, then 7–15 digits',
  examples: ['+15555550100'],
});

/** Good enough to write to; whether somebody reads there, only a code tells. */
export const EmailSchema = Type.String({
  pattern: '^[^\\s@<>"(),:;\\u005b\\u005c\\u005d]{1,64}@[A-Za-z0-9.-]{1,180}\\.[A-Za-z]{2,63}$',
  examples: ['somebody@example.com'],
});

/** Language, with a region where it matters: `en`, `pt-BR`. */
export const LocaleSchema = Type.String({ pattern: '^[a-z]{2,3}(-[A-Z]{2})?$', examples: ['en', 'pt-BR'] });

/** What a person is called: one line. */
export const NameSchema = Type.String({ minLength: 1, maxLength: 80, pattern: '^[^\\u0000-\\u001f\\u007f]*$' });

/** The ways to reach a person; `app` are the sockets of those who use ours, `push` their devices. */
export const channels = ['push', 'sms', 'whatsapp', 'email', 'voice', 'app'] as const;
export type Channel = (typeof channels)[number];

/** The same ones, once each. */
export const ChannelsSchema = Type.Array(Type.Enum(channels), { minItems: 1, maxItems: 6, uniqueItems: true });

/** A number or address of which the end alone is shown: `••• 42`, `s•••@example.com`. */
export const MaskedSchema = Type.String({ description: 'all but the end is hidden' });

/** Ways by which a code proves that somebody reads what is sent there. */
export const codeChannels = ['sms', 'whatsapp', 'voice', 'email'] as const;
export type CodeChannel = (typeof codeChannels)[number];
export const CodeChannelSchema = Type.Enum(codeChannels);

/**
 * In lists: a name, number or address of this one was encrypted with a key that is gone, or was changed. What is lost is left out of the
 * entry; sending all of it again repairs it.
 */
export const IsUnreadableSchema = Type.Boolean({
  description: 'something of it cannot be decrypted and is left out; send all of it again',
});

const closed = { additionalProperties: false };

/** Ask for a code. */
export const SendCodeBodySchema = Type.Object({ channel: CodeChannelSchema }, closed);
export type SendCodeBody = Static<typeof SendCodeBodySchema>;

/** A code is on its way; those that were sent before it are void. */
export const SendCodeReplySchema = Type.Object(
  {
    channel: CodeChannelSchema,
    sentTo: MaskedSchema,
    expiresAt: Type.String({ format: 'date-time' }),
    /** The next one may be asked for from then on. */
    resendAt: Type.String({ format: 'date-time' }),
  },
  closed,
);
export type SendCodeReply = Static<typeof SendCodeReplySchema>;

/** What was read there. `channel` is the one that the code was asked for by. */
export const CheckCodeBodySchema = Type.Object(
  { channel: CodeChannelSchema, code: Type.String({ pattern: '^[0-9]{6}$' }) },
  closed,
);
export type CheckCodeBody = Static<typeof CheckCodeBodySchema>;
