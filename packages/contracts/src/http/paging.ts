import Type from 'typebox';

/** Opaque place in a list; only what a list's `nextCursor` gave is valid. */
export const CursorSchema = Type.String({ minLength: 1, maxLength: 512 });
export const NextCursorSchema = Type.Union([CursorSchema, Type.Null()], { description: 'null on the last page' });
