import Type from 'typebox';

/**
 * An id of a person, driver, trip or run's owner: 1–64 of `A–Z a–z 0–9 _ -`. The alphabet keeps an id safe inside Redis keys,
 * topics and paths, so nothing has to be escaped. Ids that we make are random (128 bit).
 */
export const IdSchema = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: '1–64 of A–Z a–z 0–9 _ -' });

/** A run: one unbroken numbering of a driver's fixes. Epoch milliseconds of its start, always above the driver's earlier runs. */
export const RunSchema = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** Place of a fix in its run, counted from 1. 32 bit: at one fix a second it lasts 136 years. */
export const SeqSchema = Type.Integer({ minimum: 1, maximum: 0xffffffff });
