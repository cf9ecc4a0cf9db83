import Type, { type Static } from 'typebox';

/** Variables of the batcher; spread into a service's schema. */
export const batchEnvironment = {
  BATCH_MAX_DELAY_MS: Type.Integer({
    default: 25,
    minimum: 0,
    maximum: 1000,
    description: 'longest wait of a fix for the flush before it',
  }),
  BATCH_MAX_FIXES: Type.Integer({
    default: 2000,
    minimum: 1,
    description: 'so many waiting fixes are flushed without waiting',
  }),
  BATCH_MAX_PENDING_FIXES: Type.Integer({
    default: 200_000,
    minimum: 1,
    description: 'more fixes than this are refused while Redis is away; phones keep them',
  }),
};

const schema = Type.Object(batchEnvironment);

export interface BatchSettings {
  maxDelayMs: number;
  maxFixes: number;
  maxPendingFixes: number;
}

export function toBatchSettings(env: Static<typeof schema>): BatchSettings {
  return {
    maxDelayMs: env.BATCH_MAX_DELAY_MS,
    maxFixes: env.BATCH_MAX_FIXES,
    maxPendingFixes: env.BATCH_MAX_PENDING_FIXES,
  };
}
