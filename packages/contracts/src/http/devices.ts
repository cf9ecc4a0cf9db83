import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import { LocaleSchema } from '../person.ts';
import { IsoTimeSchema } from '../units.ts';

const closed = { additionalProperties: false };

/** More than these and the one unheard of for the longest is forgotten. */
export const maxDevices = 10;

export const platforms = ['android', 'ios', 'web'] as const;
export type Platform = (typeof platforms)[number];

/** The id is the app's, made once for each installation. */
export const DeviceParamsSchema = Type.Object({ id: IdSchema }, closed);

/** `PUT /v1/devices/:id`, at each start of the app: the token that its push service gave it. It is never shown again. */
export const PutDeviceBodySchema = Type.Object(
  {
    platform: Type.Enum(platforms),
    pushToken: Type.String({ pattern: '^[\\x21-\\x7e]{16,4096}$', description: '16–4096 printable characters' }),
    locale: Type.Optional(LocaleSchema),
  },
  closed,
);
export type PutDeviceBody = Static<typeof PutDeviceBodySchema>;

export const DeviceReplySchema = Type.Object(
  { deviceId: IdSchema, platform: Type.Enum(platforms), seenAt: IsoTimeSchema },
  closed,
);
export type DeviceReply = Static<typeof DeviceReplySchema>;
