import Type from 'typebox';
import { ConfigError } from './config-error.ts';

/** Variables of processes that a fault test may end at a named place. */
export const faultsEnvironment = {
  /** Faults may be put into this process. Refused in production. */
  HUSHRYD_FAULTS: Type.Boolean({ default: false }),
  /** Where it kills itself, and at which time of passing: `after_persist`, `after_persist:5`. */
  CRASH_AT: Type.Optional(
    Type.String({ pattern: '^[a-z_]+(:[1-9]\\d{0,5})?$', expects: 'a crash point such as after_persist:5' }),
  ),
};

export interface CrashSetting {
  point: string;
  /** The n-th time that the point is passed, from 1. */
  pass: number;
}

/** @throws ConfigError for faults in production, or a crash point without leave */
export function toCrashSetting(env: {
  NODE_ENV: string;
  HUSHRYD_FAULTS: boolean;
  CRASH_AT?: string;
}): CrashSetting | undefined {
  if (env.HUSHRYD_FAULTS && env.NODE_ENV === 'production') {
    throw new ConfigError('HUSHRYD_FAULTS is set and NODE_ENV is production: faults are for tests, remove one.');
  }
  if (env.CRASH_AT === undefined) return undefined;
  if (!env.HUSHRYD_FAULTS) {
    throw new ConfigError('CRASH_AT is set without HUSHRYD_FAULTS: remove it, or set HUSHRYD_FAULTS to 1 in a test.');
  }
  const [point = '', pass = '1'] = env.CRASH_AT.split(':');
  return { point, pass: Number(pass) };
}
