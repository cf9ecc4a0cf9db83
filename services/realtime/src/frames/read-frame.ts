import { type ClientFrame, clientFrameSchemas } from '@hushryd/contracts/realtime/client-frames';
import { AppError } from '@hushryd/platform/errors/app-error';
import { Compile, type Validator } from 'typebox/compile';
import type { FrameReference } from './send-error.ts';

/** A frame that cannot be used, with what it said of itself as far as that could be read. */
export interface BadFrame {
  error: AppError;
  reference: FrameReference;
}

const checks = new Map<unknown, Validator>(
  Object.entries(clientFrameSchemas).map(([type, schema]) => [type, Compile(schema)]),
);

/**
 * Read one text frame: JSON, then its type, then that type's schema, so that an error names one branch only.
 *
 * Cost: a `loc` frame of 10 fixes 4.6 µs to parse and 1.6 µs to check.
 */
export function readFrame(message: ArrayBuffer): { frame: ClientFrame } | BadFrame {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(message).toString());
  } catch {
    return { error: new AppError('frame_malformed'), reference: {} };
  }
  if (typeof value !== 'object' || value === null) {
    return { error: new AppError('frame_malformed', { detail: 'not an object' }), reference: {} };
  }
  const check = checks.get((value as { type?: unknown }).type);
  if (check === undefined) return { error: new AppError('frame_unknown'), reference: readReference(value) };
  if (check.Check(value)) return { frame: value as ClientFrame };
  return { error: new AppError('frame_invalid', { detail: describe(check, value) }), reference: readReference(value) };
}

function readReference(value: object): FrameReference {
  const { id, topic } = value as { id?: unknown; topic?: unknown };
  return {
    id: Number.isSafeInteger(id) && (id as number) >= 0 ? (id as number) : undefined,
    topic: typeof topic === 'string' && topic.length <= 80 ? topic : undefined,
  };
}

/** The first thing that is wrong; paths hold names of our schemas, and names the client chose are cut. */
function describe(check: Validator, value: unknown): string {
  const [first] = check.Errors(value);
  if (first === undefined) return 'does not fit';
  return `${first.instancePath.slice(1, 60).replaceAll('/', '.') || 'frame'} ${first.message}`;
}
