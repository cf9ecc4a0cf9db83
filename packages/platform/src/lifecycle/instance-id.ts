import { randomBytes } from 'node:crypto';

/** A name for this process, new at every start: `realtime-4f9a1c02b7`. Shown in logs, metrics and health. */
export function createInstanceId(service: string): string {
  return `${service}-${randomBytes(5).toString('hex')}`;
}
