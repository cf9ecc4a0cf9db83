import { type PressPart, readPress } from '@hushryd/contracts/http/read-press';
import {
  type ClientFrame,
  clientFrameSchemas,
  type SosFrame,
  type SosLocFrame,
  type TakenSosLocFrame,
  TakenSosLocFrameSchema,
} from '@hushryd/contracts/realtime/client-frames';
import { AppError } from '@hushryd/platform/errors/app-error';
import { Compile, type Validator } from 'typebox/compile';
import type { FrameReference } from './send-error.ts';

/** A frame that cannot be used, with what it said of itself as far as that could be read. */
export interface BadFrame {
  error: AppError;
  reference: FrameReference;
}

/** A frame as its handler gets it. */
export type TakenFrame = Exclude<ClientFrame, SosLocFrame> | TakenSosLocFrame;

export interface ReadFrame {
  frame: TakenFrame;
  /** Of a press: what of it could not be taken as it came. */
  dropped?: PressPart[];
}

const checks = new Map<unknown, Validator>(
  Object.entries({ ...clientFrameSchemas, sos_loc: TakenSosLocFrameSchema }).map(([type, schema]) => [
    type,
    Compile(schema),
  ]),
);

/**
 * Read one text frame: JSON, then its type, then that type's schema, so that an error names one branch only.
 *
 * A press is taken whatever is wrong with it, as long as its id is right (read-press.ts).
 *
 * @param nowMs time of receipt, epoch milliseconds
 * Cost: a `loc` frame of 10 fixes 4.6 µs to parse and 1.6 µs to check.
 */
export function readFrame(message: ArrayBuffer, nowMs: number): ReadFrame | BadFrame {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(message).toString());
  } catch {
    return { error: new AppError('frame_malformed'), reference: {} };
  }
  if (typeof value !== 'object' || value === null) {
    return { error: new AppError('frame_malformed', { detail: 'not an object' }), reference: {} };
  }
  const { type } = value as { type?: unknown };
  const press = type === 'sos' ? readSos(value, nowMs) : undefined;
  if (press !== undefined) return press;
  const check = checks.get(type);
  if (check === undefined) return { error: new AppError('frame_unknown'), reference: readReference(value) };
  if (check.Check(value)) return { frame: value as TakenFrame };
  return { error: new AppError('frame_invalid', { detail: describe(check, value) }), reference: readReference(value) };
}

function readSos(value: object, nowMs: number): { frame: SosFrame; dropped: PressPart[] } | undefined {
  const { type: _, id: __, ...given } = value as Record<string, unknown>;
  const read = readPress(given, nowMs);
  if (read === undefined) return undefined;
  const { id } = readReference(value);
  return { frame: { type: 'sos', ...(id !== undefined && { id }), ...read.trigger }, dropped: read.dropped };
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
