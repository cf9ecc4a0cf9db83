import Type, { type Static } from 'typebox';
import type { AcceptLimits } from './accept-fix.ts';

/** Variables that set what a believable fix is; spread into a service's schema. */
export const acceptEnvironment = {
  MAX_SPEED_KMH: Type.Number({
    default: 350,
    exclusiveMinimum: 0,
    description: 'faster than this between two fixes is not believed',
  }),
  MAX_ACCURACY_METERS: Type.Number({
    default: 200,
    exclusiveMinimum: 0,
    description: 'less certain fixes are dropped',
  }),
  MAX_FUTURE_MS: Type.Integer({ default: 30_000, minimum: 0, description: 'how far a phone clock may run ahead' }),
  LIVE_MAX_AGE_MS: Type.Integer({ default: 30_000, minimum: 0, description: 'older fixes become history only' }),
  MAX_FIX_AGE_MS: Type.Integer({ default: 86_400_000, minimum: 0, description: 'older fixes are dropped' }),
};

const schema = Type.Object(acceptEnvironment);

export function toAcceptLimits(env: Static<typeof schema>): AcceptLimits {
  return {
    maxSpeedKmh: env.MAX_SPEED_KMH,
    maxAccuracyMeters: env.MAX_ACCURACY_METERS,
    maxFutureMs: env.MAX_FUTURE_MS,
    liveMaxAgeMs: env.LIVE_MAX_AGE_MS,
    maxFixAgeMs: env.MAX_FIX_AGE_MS,
  };
}
