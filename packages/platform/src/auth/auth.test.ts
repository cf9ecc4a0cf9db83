import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { AppError } from '../errors/app-error.ts';
import { parseKeyRing } from './key-ring.ts';
import { createTokenSigner } from './sign-token.ts';
import { createTokenVerifier } from './verify-token.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const NOW = NOW_MS / 1000;

const pair = () =>
  generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const current = pair();
const next = pair();
const stranger = pair();
const rsa = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const ring = parseKeyRing(JSON.stringify({ current: current.publicKey, next: next.publicKey }));

let nowMs = NOW_MS;
const createUserVerifier = (options: { cacheSize?: number } = {}) =>
  createTokenVerifier({ ring, issuer: 'hushryd', audiences: ['user'], now: () => nowMs, ...options });
const verifier = createUserVerifier();
const signer = createTokenSigner({
  privateKeyPem: current.privateKey,
  kid: 'current',
  issuer: 'hushryd',
  now: () => nowMs,
});
t.beforeEach(() => {
  nowMs = NOW_MS;
});

const HEADER = { alg: 'EdDSA', typ: 'at+jwt', kid: 'current' };
const CLAIMS = {
  iss: 'hushryd',
  sub: 'rider-1',
  aud: 'user',
  role: 'rider',
  jti: 'token-1',
  iat: NOW,
  nbf: NOW,
  exp: NOW + 600,
};

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token with exactly these parts, genuinely signed. Text instead of an object goes in as it is. */
function forge(header: unknown, claims: unknown, privateKey = current.privateKey): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign(null, Buffer.from(input), createPrivateKey(privateKey)).toString('base64url')}`;
}

function refusal(token: unknown, by = verifier): string {
  try {
    by.verify(token as string);
    return 'accepted';
  } catch (error) {
    return (error as AppError).code;
  }
}

t.test('a genuine token gives its identity, again and again the same', async (t) => {
  const token = forge(HEADER, CLAIMS);

  const identity = verifier.verify(token);

  t.same(identity, {
    userId: 'rider-1',
    role: 'rider',
    tokenId: 'token-1',
    audience: 'user',
    issuedAtMs: CLAIMS.iat * 1000,
    expiresAtMs: NOW_MS + 600_000,
  });
  t.equal(verifier.verify(token), identity);
  t.ok(Object.isFrozen(identity));
});

t.test('a token says which session it is of, where its issuer does', async (t) => {
  const grant = { userId: 'rider-1', role: 'rider', audience: 'user', lifetimeMs: 60_000 } as const;
  t.equal(verifier.verify(signer.sign({ ...grant, sessionId: 'session-1' })).sessionId, 'session-1');
  t.notOk('sessionId' in verifier.verify(signer.sign(grant)));
});

t.test('what the signer makes the verifier takes, with either key of the ring', async (t) => {
  const { userId, role, expiresAtMs } = verifier.verify(
    signer.sign({ userId: 'driver-1', role: 'driver', audience: 'user', lifetimeMs: 60_000 }),
  );
  t.same({ userId, role, expiresAtMs }, { userId: 'driver-1', role: 'driver', expiresAtMs: NOW_MS + 60_000 });

  const rotated = createTokenSigner({
    privateKeyPem: next.privateKey,
    kid: 'next',
    issuer: 'hushryd',
    now: () => nowMs,
  });
  t.equal(refusal(rotated.sign({ userId: 'd', role: 'driver', audience: 'user', lifetimeMs: 900_000 })), 'accepted');
  for (const lifetimeMs of [0, -1, 900_001, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => signer.sign({ userId: 'd', role: 'driver', audience: 'user', lifetimeMs }), RangeError);
  }
});

const genuine = forge(HEADER, CLAIMS);
const [head = '', body = '', signature = ''] = genuine.split('.');
const { kid: _kid, ...noKid } = HEADER;
const hs256 = (secret: string) => {
  const input = `${encode({ ...HEADER, alg: 'HS256' })}.${encode(CLAIMS)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};
const rs256 = () => {
  const input = `${encode({ ...HEADER, alg: 'RS256' })}.${encode(CLAIMS)}`;
  return `${input}.${sign('sha256', Buffer.from(input), rsa.privateKey).toString('base64url')}`;
};
const without = (name: string) => Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== name));

/** The last of 86 characters carries two bits of the signature and four that decode to nothing. */
function otherSpelling(last: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(last) ^ 1] ?? '';
}

const attacks: Record<string, unknown> = {
  'alg none, no signature': `${encode({ ...HEADER, alg: 'none' })}.${body}.`,
  'alg none, old signature': `${encode({ ...HEADER, alg: 'none' })}.${body}.${signature}`,
  'alg None': forge({ ...HEADER, alg: 'None' }, CLAIMS),
  'alg eddsa in lower case': forge({ ...HEADER, alg: 'eddsa' }, CLAIMS),
  'alg as a list': forge({ ...HEADER, alg: ['EdDSA'] }, CLAIMS),
  'HS256 with the public key as secret': hs256(current.publicKey),
  RS256: rs256(),
  'no signature': `${head}.${body}.`,
  'two parts': `${head}.${body}`,
  'four parts': `${genuine}.x`,
  'five parts (JWE)': `${genuine}.x.x`,
  'signature of another token': `${head}.${encode({ ...CLAIMS, sub: 'rider-2' })}.${signature}`,
  'signature cut by one character': genuine.slice(0, -1),
  'signature with changed last bits': `${genuine.slice(0, -2)}${genuine.endsWith('AA') ? 'BB' : 'AA'}`,
  'signature in another spelling of the same bytes': `${genuine.slice(0, -1)}${otherSpelling(genuine.slice(-1))}`,
  'padding in a part': `${head}.${body}.${signature}==`,
  'plus and slash for base64url': `${head}.${body}.${'+/'.repeat(43)}`,
  'key of a stranger': forge(HEADER, CLAIMS, stranger.privateKey),
  'right key under the wrong kid': forge({ ...HEADER, kid: 'next' }, CLAIMS),
  'no kid': forge(noKid, CLAIMS),
  'unknown kid': forge({ ...HEADER, kid: 'older' }, CLAIMS),
  'kid in another case': forge({ ...HEADER, kid: 'CURRENT' }, CLAIMS),
  'kid with a space': forge({ ...HEADER, kid: 'current ' }, CLAIMS),
  'kid as a path': forge({ ...HEADER, kid: '../../dev/null' }, CLAIMS),
  'kid as SQL': forge({ ...HEADER, kid: "x' UNION SELECT 'key" }, CLAIMS),
  'kid as a URL': forge({ ...HEADER, kid: 'https://attacker.example/key' }, CLAIMS),
  'kid __proto__': forge('{"alg":"EdDSA","typ":"at+jwt","kid":"__proto__"}', CLAIMS),
  'kid constructor': forge({ ...HEADER, kid: 'constructor' }, CLAIMS),
  'kid as a number': forge({ ...HEADER, kid: 0 }, CLAIMS),
  'kid as a list': forge({ ...HEADER, kid: ['current'] }, CLAIMS),
  jku: forge({ ...HEADER, jku: 'https://attacker.example/keys' }, CLAIMS),
  x5u: forge({ ...HEADER, x5u: 'https://attacker.example/cert' }, CLAIMS),
  x5c: forge({ ...HEADER, x5c: ['MIIB'] }, CLAIMS),
  jwk: forge({ ...HEADER, jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' } }, CLAIMS),
  crit: forge({ ...HEADER, crit: ['exp'] }, CLAIMS),
  'crit, empty': forge({ ...HEADER, crit: [] }, CLAIMS),
  'b64 false': forge({ ...HEADER, b64: false }, CLAIMS),
  'cty JWT (nested)': forge({ ...HEADER, cty: 'JWT' }, CLAIMS),
  'typ JWT': forge({ ...HEADER, typ: 'JWT' }, CLAIMS),
  'typ missing': forge({ alg: 'EdDSA', kid: 'current' }, CLAIMS),
  'typ of a refresh token': forge({ ...HEADER, typ: 'rt+jwt' }, CLAIMS),
  'header a list': forge('[]', CLAIMS),
  'header null': forge('null', CLAIMS),
  'header no JSON': forge('{alg:EdDSA}', CLAIMS),
  'claims a list': forge(HEADER, '[]'),
  'claims no JSON': forge(HEADER, 'x'),
  'claims text': forge(HEADER, '"x"'),
  'alg twice': forge('{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"current"}', CLAIMS),
  'sub twice': forge(HEADER, JSON.stringify(CLAIMS).replace('"sub"', '"sub":"rider-9","sub"')),
  'exp twice': forge(HEADER, JSON.stringify(CLAIMS).replace('"exp"', '"exp":1,"exp"')),
  'role twice, once escaped': forge(HEADER, JSON.stringify(CLAIMS).replace('"role"', '"rol\\u0065":"operator","role"')),
  'another issuer': forge(HEADER, { ...CLAIMS, iss: 'other' }),
  'issuer as a list': forge(HEADER, { ...CLAIMS, iss: ['hushryd'] }),
  'audience of operators': forge(HEADER, { ...CLAIMS, aud: 'admin', role: 'operator' }),
  'audience unknown': forge(HEADER, { ...CLAIMS, aud: 'share' }),
  'audience as a list': forge(HEADER, { ...CLAIMS, aud: ['user'] }),
  'operator for users': forge(HEADER, { ...CLAIMS, role: 'operator' }),
  'unknown role': forge(HEADER, { ...CLAIMS, role: 'admin' }),
  'role as a list': forge(HEADER, { ...CLAIMS, role: ['rider'] }),
  'sub with a colon': forge(HEADER, { ...CLAIMS, sub: 'rider:1' }),
  'sub empty': forge(HEADER, { ...CLAIMS, sub: '' }),
  'sub as an object': forge(HEADER, { ...CLAIMS, sub: { $ne: null } }),
  'sub of 65 characters': forge(HEADER, { ...CLAIMS, sub: 'x'.repeat(65) }),
  'sid empty': forge(HEADER, { ...CLAIMS, sid: '' }),
  'sid as a list': forge(HEADER, { ...CLAIMS, sid: ['session-1'] }),
  'sid null': forge(HEADER, { ...CLAIMS, sid: null }),
  'exp as text': forge(HEADER, { ...CLAIMS, exp: String(CLAIMS.exp) }),
  'exp in milliseconds': forge(HEADER, { ...CLAIMS, exp: CLAIMS.exp * 1000 }),
  'exp 1e400': forge(HEADER, JSON.stringify(CLAIMS).replace(`"exp":${CLAIMS.exp}`, '"exp":1e400')),
  'exp null': forge(HEADER, { ...CLAIMS, exp: null }),
  'living longer than 15 minutes': forge(HEADER, { ...CLAIMS, exp: NOW + 901 }),
  'ending before it begins': forge(HEADER, { ...CLAIMS, iat: NOW + 10, exp: NOW + 5 }),
  'not yet valid': forge(HEADER, { ...CLAIMS, nbf: NOW + 31 }),
  'issued in the future': forge(HEADER, { ...CLAIMS, iat: NOW + 31, exp: NOW + 600 }),
  'over 4 KiB': forge(HEADER, { ...CLAIMS, padding: 'x'.repeat(4_096) }),
  '1 MB': `${'A'.repeat(500_000)}.${'A'.repeat(500_000)}.${'A'.repeat(86)}`,
  '1 MB of dots': '.'.repeat(1_000_000),
  empty: '',
  'a number': 1,
  undefined: undefined,
  'an object': { toString: () => genuine },
  ...Object.fromEntries(Object.keys(CLAIMS).map((name) => [`without ${name}`, forge(HEADER, without(name))])),
};
t.test('every forged, foreign or malformed token is refused, and none is kept', async (t) => {
  for (const [name, token] of Object.entries(attacks)) {
    t.equal(refusal(token), 'token_invalid', name);
    t.equal(refusal(token), 'token_invalid', `${name}, a second time`);
  }
});

t.test('white space in the JSON and extra claims do no harm', async (t) => {
  t.equal(
    refusal(forge(JSON.stringify(HEADER, null, 2), JSON.stringify({ ...CLAIMS, extra: 'a  b"\\' }, null, 1))),
    'accepted',
  );
});

t.test('a refusal says nothing about why', async (t) => {
  for (const token of [attacks['alg none, no signature'], attacks['unknown kid'], attacks['another issuer']]) {
    t.throws(() => verifier.verify(token as string), {
      message: 'The token is not valid',
      status: 401,
      retryable: false,
    });
  }
});

t.test('times count with 30 s of tolerance, and expiry is looked at each time', async (t) => {
  const token = forge(HEADER, CLAIMS);
  const cases: [offsetMs: number, expected: string][] = [
    [-30_001, 'token_invalid'],
    [-30_000, 'accepted'],
    [0, 'accepted'],
    [629_999, 'accepted'],
    [630_000, 'token_expired'],
    [86_400_000, 'token_expired'],
    [0, 'accepted'],
  ];
  const remembering = createUserVerifier();
  for (const [offsetMs, expected] of cases) {
    nowMs = NOW_MS + offsetMs;
    t.equal(refusal(token, createUserVerifier()), expected, `first seen at ${offsetMs}`);
    if (offsetMs >= 0) t.equal(refusal(token, remembering), expected, `seen before, at ${offsetMs}`);
  }
});

t.test('audiences are separate', async (t) => {
  const admin = createTokenVerifier({ ring, issuer: 'hushryd', audiences: ['admin'], now: () => nowMs });
  const both = createTokenVerifier({ ring, issuer: 'hushryd', audiences: ['user', 'admin'], now: () => nowMs });
  const operator = signer.sign({ userId: 'op-1', role: 'operator', audience: 'admin', lifetimeMs: 60_000 });
  const rider = signer.sign({ userId: 'rider-1', role: 'rider', audience: 'user', lifetimeMs: 60_000 });
  const posing = signer.sign({ userId: 'rider-1', role: 'rider', audience: 'admin', lifetimeMs: 60_000 });

  t.same(
    [verifier, admin, both].map((by) => [operator, rider, posing].map((token) => refusal(token, by))),
    [
      ['token_invalid', 'accepted', 'token_invalid'],
      ['accepted', 'token_invalid', 'token_invalid'],
      ['accepted', 'accepted', 'token_invalid'],
    ],
  );
});

t.test('a small cache forgets the oldest and still verifies', async (t) => {
  const small = createUserVerifier({ cacheSize: 2 });
  const tokens = Array.from({ length: 5 }, (_, index) => forge(HEADER, { ...CLAIMS, jti: `t-${index}` }));
  const first = small.verify(tokens[0]!);
  for (const token of tokens) t.equal(refusal(token, small), 'accepted');

  t.not(small.verify(tokens[0]!), first);
  t.same(small.verify(tokens[0]!), first);
});

t.test('no change of a genuine token is accepted', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.nat(genuine.length - 1), fc.constantFrom(...'ABCxyz019-_.=+ \n'), (at, character) => {
        const changed = genuine.slice(0, at) + character + genuine.slice(at + 1);
        return changed === genuine || refusal(changed) === 'token_invalid';
      }),
      { numRuns: 2_000 },
    ),
  );
});

t.test('the key ring takes Ed25519 public keys only', async (t) => {
  const refused: [json: string, why: RegExp][] = [
    ['', /not a JSON object/],
    ['[]', /not a JSON object/],
    ['{}', /has no key/],
    [JSON.stringify({ a: current.privateKey }), /Key a .* not a public key in PEM/],
    [JSON.stringify({ a: rsa.publicKey }), /Key a .* not an Ed25519 key/],
    [
      JSON.stringify({ a: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' }),
      /Key a .* not an Ed25519 key/,
    ],
    [JSON.stringify({ 'a/b': current.publicKey }), /key id/],
    [JSON.stringify({ a: 1 }), /Key a/],
    [
      JSON.stringify(Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, current.publicKey]))),
      /more than 16/,
    ],
  ];
  for (const [json, why] of refused) t.throws(() => parseKeyRing(json), { name: 'ConfigError', message: why });
  t.throws(() => parseKeyRing(current.privateKey), { message: /^(?!.*BEGIN)/ });
});

t.test('a call for help may come with a genuine token that has run out, and with no other', async (t) => {
  const graceMs = 86_400_000;
  const token = forge(HEADER, CLAIMS);

  t.match(verifier.verifyGenuine(token, graceMs), { isExpired: false, identity: { userId: 'rider-1' } });
  nowMs = NOW_MS + 600_000 + graceMs;
  t.match(verifier.verifyGenuine(token, graceMs), { isExpired: true, identity: { userId: 'rider-1', role: 'rider' } });
  t.throws(() => verifier.verify(token), { code: 'token_expired' });
  nowMs += 31_000;
  t.throws(() => verifier.verifyGenuine(token, graceMs), { code: 'token_expired' });

  nowMs = NOW_MS - 300_000;
  t.throws(() => verifier.verify(token), { code: 'token_invalid' });
  t.match(verifier.verifyGenuine(token, graceMs), { isExpired: false, identity: { userId: 'rider-1' } });
  nowMs = NOW_MS - graceMs - 31_000;
  t.throws(() => verifier.verifyGenuine(token, graceMs), { code: 'token_invalid' }, 'so far off is no clock');

  nowMs = NOW_MS + 700_000;
  for (const forged of [
    forge(HEADER, CLAIMS, stranger.privateKey),
    forge(HEADER, { ...CLAIMS, exp: NOW + 86_400 }),
    forge(HEADER, { ...CLAIMS, iss: 'somebody' }),
    '',
  ]) {
    t.throws(() => verifier.verifyGenuine(forged, graceMs), { code: 'token_invalid' });
  }
});
