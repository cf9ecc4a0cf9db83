import Type from 'typebox';

/** Requests without a body; some clients send `{}` where there is nothing to say. Left out of the API description. */
export const NoBodySchema = Type.Union([Type.Null(), Type.Object({}, { additionalProperties: false })]);
