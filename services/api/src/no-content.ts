import Type from 'typebox';

/** Of replies that say everything by their status. */
export const NoContentSchema = Type.Null({ description: 'Done' });
