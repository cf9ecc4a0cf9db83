/**
 * Headers of every answer. Scripts come from here only; the map starts its worker from here and may make pictures of its own; data comes from
 * here, the API, the sockets, and what draws the base map where that was chosen. Inline styles stay allowed: the map and the dialogs position
 * themselves with them.
 */
export function securityHeaders(input: {
  apiUrl: string;
  realtimeUrl: string;
  mapStyleUrl?: string | undefined;
}): Record<string, string> {
  const mapSources = sourcesOfMap(input.mapStyleUrl);
  const policy = {
    'default-src': "'none'",
    'script-src': "'self'",
    'worker-src': "'self' blob:",
    'style-src': "'self' 'unsafe-inline'",
    'img-src': ["'self' data: blob:", ...mapSources].join(' '),
    'font-src': "'self'",
    'media-src': "'self' data: blob:",
    'manifest-src': "'self'",
    // blob: the map hands GeoJSON to its worker that way.
    'connect-src': ["'self' blob:", originOf(input.apiUrl), originOf(input.realtimeUrl), ...mapSources].join(' '),
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

/** Tiles come from where their address says. A style names tiles, letters and symbols of other hosts, which only it knows. */
function sourcesOfMap(url: string | undefined): string[] {
  if (url === undefined) return [];
  return url.includes('{z}') ? [originOf(url)] : [originOf(url), 'https:'];
}

/** In a policy an address with a path allows that path alone. */
function originOf(url: string): string {
  return new URL(url).origin;
}
