/** What the address bar said about signing in. */
export interface ArrivalAddress {
  code: string | undefined;
  /** The fragment with the code taken out; empty where nothing is left. */
  fragment: string;
}

/**
 * Take a one-time code out of a fragment: `#code=abc` or `#code=abc&…`. The console's own places begin with `#/` and are left alone.
 * The code travels in the fragment because fragments reach neither servers nor their logs.
 */
export function takeOneTimeCode(fragment: string): ArrivalAddress {
  const text = fragment.startsWith('#') ? fragment.slice(1) : fragment;
  if (text === '' || text.startsWith('/')) return { code: undefined, fragment };
  const parameters = new URLSearchParams(text);
  const code = parameters.get('code');
  if (code === null) return { code: undefined, fragment };
  const place = parameters.get('to');
  return { code: code === '' ? undefined : code, fragment: place?.startsWith('/') ? `#${place}` : '' };
}
