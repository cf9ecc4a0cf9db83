import { isAllowed } from './allowed-keys.ts';
import { HIDDEN, hideInText } from './hide-in-text.ts';
import { toSafeError } from './safe-error.ts';

const MAX_DEPTH = 6;
const MAX_ITEMS = 50;

/**
 * A copy of what is about to be logged with everything hidden that the allowlist does not name, at every depth.
 *
 * Text under an allowed name is searched for what looks like an email, phone number, token or coordinate, since an id may come from
 * outside. Bounded in depth, items and length.
 */
export function hidePrivate(fields: object, options: { withStack: boolean }): Record<string, unknown> {
  try {
    return copyObject(fields, options, 0);
  } catch {
    // A getter threw. A log line must never be what breaks its caller.
    return { err: { type: 'FieldsNotReadable' } };
  }
}

function copyObject(fields: object, options: { withStack: boolean }, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  let items = 0;
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    items += 1;
    if (items > MAX_ITEMS) break;
    copy[key] = isAllowed(key, value) || value instanceof Error ? copyValue(value, options, depth) : HIDDEN;
  }
  return copy;
}

function copyValue(value: unknown, options: { withStack: boolean }, depth: number): unknown {
  if (typeof value === 'string') return hideInText(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return toSafeError(value, options);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= MAX_DEPTH) return HIDDEN;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => copyValue(item, options, depth + 1));
  if (typeof value === 'object' && !ArrayBuffer.isView(value)) return copyObject(value, options, depth + 1);
  return HIDDEN;
}
