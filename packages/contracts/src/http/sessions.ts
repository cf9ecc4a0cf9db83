import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import { EpochMsSchema } from '../units.ts';

const closed = { additionalProperties: false };

/**
 * Why tokens end before their time. After `role_changed` the app fetches another and comes back by itself, also where it caches them: it
 * hears which one was refused.
 */
export const revocationReasons = ['signed_out', 'banned', 'role_changed'] as const;
export type RevocationReason = (typeof revocationReasons)[number];

/** Tokens of one user that are refused although they have not run out. Newer `version` wins. */
export const RevocationSchema = Type.Object(
  {
    userId: IdSchema,
    version: Type.Integer({ minimum: 1 }),
    /** Every token issued before this; 0 for none but those named. */
    issuedBeforeMs: EpochMsSchema,
    /** `jti` of tokens that were signed out one by one, since they name no session. */
    tokenIds: Type.Array(IdSchema, { maxItems: 50 }),
    /** `sid` of sessions that were signed out: all of their tokens, also those that are issued later. Absent for none. */
    sessionIds: Type.Optional(Type.Array(IdSchema, { maxItems: 50 })),
    reason: Type.Enum(revocationReasons),
    /** None of these tokens is taken any more by then, not even for a call of help, and the record can be forgotten. */
    expiresAtMs: EpochMsSchema,
  },
  closed,
);
export type Revocation = Static<typeof RevocationSchema>;

/** `GET /internal/revocations` (service token): all of tokens that have not run out. */
export const RevocationsReplySchema = Type.Object({ revocations: Type.Array(RevocationSchema) }, closed);
export type RevocationsReply = Static<typeof RevocationsReplySchema>;

/** `POST /v1/users/:id/sign-out`, staff: every token the user has. */
export const SignOutUserBodySchema = Type.Object({ reason: Type.Optional(Type.Enum(revocationReasons)) }, closed);
export const UserParamsSchema = Type.Object({ id: IdSchema }, closed);
