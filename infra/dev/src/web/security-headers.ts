/**
 * Headers of every answer. Scripts come from here only; the map starts its worker from here and may make pictures of its own; data comes from
 * here, the API and the sockets. Inline styles stay allowed: the map and the dialogs position themselves with them.
 */
export function securityHeaders(input: { apiUrl: string; realtimeUrl: string }): Record<string, string> {
  const policy = {
    'default-src': "'none'",
    'script-src': "'self'",
    'worker-src': "'self' blob:",
    'style-src': "'self' 'unsafe-inline'",
    'img-src': "'self' data: blob: https:",
    'font-src': "'self'",
    'media-src': "'self' data: blob:",
    'manifest-src': "'self'",
    // blob: the map hands GeoJSON to its worker that way; https: a map style that the person at this machine configured.
    'connect-src': `'self' blob: ${originOf(input.apiUrl)} ${originOf(input.realtimeUrl)} https:`,
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  };
  return {
    'content-security-policy': Object.entries(policy)
      .map(([name, value]) => `${name} ${value}`)
      .join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  };
}

/** In a policy an address with a path allows that path alone. */
function originOf(url: string): string {
  return new URL(url).origin;
}
