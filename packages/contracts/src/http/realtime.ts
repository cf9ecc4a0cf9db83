import Type, { type Static } from 'typebox';
import { IsoTimeSchema } from '../units.ts';

/** `POST /v1/realtime/tickets`: a single-use ticket for browsers, which cannot set headers on a websocket. */
export const TicketReplySchema = Type.Object(
  { ticket: Type.String(), expiresAt: IsoTimeSchema },
  { additionalProperties: false },
);
export type TicketReply = Static<typeof TicketReplySchema>;
