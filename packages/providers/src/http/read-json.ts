/** A vendor's JSON as it may be: nothing in it is taken for granted. */
export type Json = string | number | boolean | null | undefined | Json[] | { [key: string]: Json };

/** @returns undefined where the text is no JSON */
export function readJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // Proxies and breakdowns answer in HTML; the status says the rest.
    return undefined;
  }
}

/** What stands at a path, or undefined: `at(body, 'error', 'details', 0)`. */
export function at(json: Json, ...path: readonly (string | number)[]): Json {
  let value = json;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, Json>)[key];
  }
  return value;
}

/** Text or a number as text; anything else, also an empty text, is undefined. */
export function textAt(json: Json, ...path: readonly (string | number)[]): string | undefined {
  const value = at(json, ...path);
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
