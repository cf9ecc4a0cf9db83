import { ConfigError } from '@hushryd/platform/config/config-error';
import Type, { type Static, type TObject } from 'typebox';

/** Variables of every process that may raise the canary: spread into a service's schema. */
export const canaryEnvironment = {
  /** How often the system raises an alert of its own, to see whether one would get through; 0 never. */
  SOS_CANARY_EVERY_MS: Type.Integer({ minimum: 0, maximum: 3_600_000, default: 60_000 }),
  /** Longest until a company has taken its message. */
  SOS_CANARY_WITHIN_MS: Type.Integer({ minimum: 100, maximum: 600_000, default: 20_000 }),
  /** Where its message goes: a number (a text) or an address (a mail) of whoever runs this. Without it there is no canary. */
  SOS_CANARY_TO: Type.Optional(
    Type.String({
      pattern: '^(\\+[1-9][0-9]{6,14}|[^\\s@]{1,64}@[A-Za-z0-9.-]{1,180})$',
      expects: 'a phone number such as +15555550100, or an email address',
      secret: true,
    }),
  ),
};

export interface CanarySettings {
  readonly everyMs: number;
  readonly withinMs: number;
  readonly to: string;
}

/** @returns undefined where there is to be none @throws ConfigError for a canary that is slower than its own pace */
export function toCanarySettings(env: Static<TObject<typeof canaryEnvironment>>): CanarySettings | undefined {
  const { SOS_CANARY_EVERY_MS: everyMs, SOS_CANARY_WITHIN_MS: withinMs, SOS_CANARY_TO: to } = env;
  if (everyMs === 0 || to === undefined) return undefined;
  if (withinMs > everyMs) throw new ConfigError('SOS_CANARY_WITHIN_MS is above SOS_CANARY_EVERY_MS: make it shorter.');
  return { everyMs, withinMs, to };
}
