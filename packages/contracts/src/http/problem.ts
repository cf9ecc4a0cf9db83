import Type, { type Static } from 'typebox';
import { errorCodes } from '../errors.ts';

/** RFC 9457 problem details; `code` is stable, `correlationId` is what support asks for. `errors` names each bad field. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.Enum(errorCodes),
    detail: Type.Optional(Type.String()),
    correlationId: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  },
  { $id: 'Problem' },
);
export type Problem = Static<typeof ProblemSchema>;
