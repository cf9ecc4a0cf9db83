import { readEnvironment } from '@hushryd/platform/config/read-environment';
import Type from 'typebox';
import type { FleetChoice } from '../runner/read-options.ts';

const environment = Type.Object({
  LOG_LEVEL: Type.String({ default: 'info' }),
  /** What drives, as the runner read it from its options: JSON. */
  FLEET: Type.String(),
  API_URL: Type.String(),
  REALTIME_URL: Type.String(),
  /** Where tokens come from, and where reports for the screen go. */
  ISSUER_URL: Type.String(),
  FLEET_SECRET: Type.String({ secret: true }),
});

/** @throws ConfigError naming the variable. Only the runner starts a fleet, so `FLEET` is taken as it comes. */
export function readFleetConfig(env: Readonly<Record<string, string | undefined>>) {
  const values = readEnvironment(environment, env);
  return {
    logLevel: values.LOG_LEVEL,
    fleet: JSON.parse(values.FLEET) as FleetChoice,
    apiUrl: values.API_URL,
    realtimeUrl: values.REALTIME_URL,
    issuerUrl: values.ISSUER_URL,
    fleetSecret: values.FLEET_SECRET,
  };
}
