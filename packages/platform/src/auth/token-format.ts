export const MAX_TOKEN_BYTES = 4_096;

const COMPACT_JWS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/;
const HEADER_NAMES = new Set(['alg', 'typ', 'kid']);

/**
 * The key id that a well-formed token of ours names, or undefined for anything else. Looks at form only, verifies nothing.
 *
 * The header holds exactly `alg: EdDSA`, `typ: at+jwt` and `kid`: so `jku`, `x5u`, `jwk` and `crit` are refused with everything
 * else that would let a token bring or choose its key (RFC 8725 §3.1, §3.10). Header and claims must be JSON that names nothing
 * twice, since parsers disagree about which of the two counts (RFC 7519 §4). An Ed25519 signature is 64 bytes: 86 characters, whose
 * last could be spelled in sixteen ways.
 */
export function readKeyId(token: string): string | undefined {
  const parts = COMPACT_JWS.exec(token);
  if (parts === null) return undefined;
  if (Buffer.from(parts[3] ?? '', 'base64url').toString('base64url') !== parts[3]) return undefined;
  const header = parseUnambiguous(parts[1] ?? '');
  const claims = parseUnambiguous(parts[2] ?? '');
  if (header === undefined || claims === undefined) return undefined;
  if (!Object.keys(header).every((name) => HEADER_NAMES.has(name))) return undefined;
  if (header.alg !== 'EdDSA' || header.typ !== 'at+jwt') return undefined;
  return typeof header.kid === 'string' ? header.kid : undefined;
}

/** A JSON object that comes out of a parser as it went in, but for white space. A repeated name does not. */
function parseUnambiguous(base64url: string): Record<string, unknown> | undefined {
  const text = Buffer.from(base64url, 'base64url').toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return JSON.stringify(value) === withoutWhiteSpace(text) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // Not JSON: the token is refused like any other of bad form.
  }
}

function withoutWhiteSpace(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
}
