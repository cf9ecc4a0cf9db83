import { isDeepStrictEqual } from 'node:util';
import type { Document, IndexDescription, IndexDescriptionInfo } from 'mongodb';
import type { CollectionDeclaration } from './collection-declaration.ts';

/**
 * Differences between a declared collection and the options that the server reports, a sentence each. Servers add fields of their own
 * (`bucketMaxSpanSeconds`), so only what is declared is compared, and that no TTL or time series is there which nobody declared.
 */
export function describeCollectionDrift(declaration: CollectionDeclaration, stored: Document): string[] {
  const { timeseries, options } = declaration;
  const declared: Document = { timeseries, expireAfterSeconds: undefined, ...options };
  return Object.entries(declared).flatMap(([option, value]) => {
    if (isSame(value, stored[option])) return [];
    return [sentence(`Collection ${declaration.name}: option ${option}`, stored[option], value)];
  });
}

/** The same for indexes that are there under a declared name. Missing ones are not drift. */
export function describeIndexDrift(
  declaration: CollectionDeclaration,
  stored: readonly IndexDescriptionInfo[],
): string[] {
  return declaration.indexes.flatMap((declared) => {
    const found = stored.find(({ name }) => name === indexName(declared));
    if (!found) return [];
    const subject = `Collection ${declaration.name}: index ${indexName(declared)},`;
    // The order of an index's fields matters, and objects compare without order.
    const isSameKey = isDeepStrictEqual(keyEntries(declared.key), keyEntries(found.key));
    const differences = isSameKey
      ? []
      : [sentence(`${subject} its key`, found.key, Object.fromEntries(keyEntries(declared.key)))];
    for (const option of comparedIndexOptions) {
      if (isSame(declared[option], found[option])) continue;
      differences.push(sentence(`${subject} option ${option}`, found[option], declared[option]));
    }
    return differences;
  });
}

/** The name an index has in the database: its own, or the one the server makes of its key. */
export function indexName(index: IndexDescription): string {
  return (
    index.name ??
    keyEntries(index.key)
      .map(([field, kind]) => `${field}_${kind}`)
      .join('_')
  );
}

const comparedIndexOptions = ['unique', 'sparse', 'expireAfterSeconds', 'partialFilterExpression'] as const;

function keyEntries(key: IndexDescription['key']): [string, unknown][] {
  return key instanceof Map ? [...key.entries()] : Object.entries(key);
}

/** Every declared field of an object is stored alike; `false` and absent are one. */
function isSame(declared: unknown, stored: unknown): boolean {
  if (!declared && !stored) return declared === 0 ? stored === 0 : stored !== 0;
  if (!isObject(declared) || !isObject(stored)) return isDeepStrictEqual(declared, stored);
  return Object.entries(declared).every(([field, value]) => isSame(value, stored[field]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sentence(subject: string, stored: unknown, declared: unknown): string {
  return `${subject} is ${show(stored)} in the database and ${show(declared)} in the code.`;
}

function show(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}
