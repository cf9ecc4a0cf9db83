/** One bad field of a request. `path` begins with the part: `body/origin/lat`, `query/limit`. */
export interface FieldError {
  path: string;
  message: string;
}

/** The part of a validator's error that we read; TypeBox gives one for each keyword that failed. */
interface ValidatorError {
  keyword: string;
  instancePath: string;
  message?: string | undefined;
  params: Record<string, unknown>;
}

const maxErrors = 20;

/** Each bad field once, with the first thing that is wrong with it. */
export function toFieldErrors(errors: readonly ValidatorError[], part: string): FieldError[] {
  const found = new Map<string, string>();
  const prefix = part === 'querystring' ? 'query' : part;
  for (const error of errors) {
    for (const { path, message } of expand(error)) {
      const fullPath = `${prefix}${path}`;
      if (!found.has(fullPath) && found.size < maxErrors) found.set(fullPath, message);
    }
  }
  return [...found].map(([path, message]) => ({ path, message }));
}

/** A missing or unknown property is reported on the object that should, or should not, have it: name the property itself. */
function expand({ keyword, instancePath, message, params }: ValidatorError): FieldError[] {
  const properties = (names: unknown, text: string) =>
    (Array.isArray(names) ? names.map(String) : []).map((name) => ({ path: `${instancePath}/${name}`, message: text }));
  if (keyword === 'required') return properties(params.requiredProperties, 'is missing');
  if (keyword === 'additionalProperties') return properties(params.additionalProperties, 'is not known here');
  // The schema `false` behind an unknown property says the same again.
  if (keyword === 'boolean') return [];
  return [{ path: instancePath, message: message ?? 'is not valid' }];
}
