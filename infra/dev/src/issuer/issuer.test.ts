import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseKeyRing } from '@hushryd/platform/auth/key-ring';
import { createTokenSigner } from '@hushryd/platform/auth/sign-token';
import { createTokenVerifier } from '@hushryd/platform/auth/verify-token';
import t, { type Test } from 'tap';
import { loadFieldKeys } from './field-keys.ts';
import { createTokenIssuer, type TokenOutcome, type TokenReply } from './issue-token.ts';
import { createOneTimeCodes } from './one-time-codes.ts';
import { readRefreshFile, writeRefreshFile } from './refresh-file.ts';
import { createRefreshTokens, type RefreshFamilies } from './refresh-tokens.ts';
import { loadSigningKeys } from './signing-keys.ts';

const minute = 60_000;

async function temporaryFolder(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'hushryd-issuer-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

async function setUp(t: Test) {
  const keys = await loadSigningKeys(join(await temporaryFolder(t), 'keys'));
  const clock = { nowMs: Date.now() };
  const now = () => clock.nowMs;
  const families: RefreshFamilies = {};
  const codes = createOneTimeCodes({ now });
  const issue = createTokenIssuer({
    signer: createTokenSigner({ ...keys, issuer: 'hushryd', now }),
    codes,
    refreshTokens: createRefreshTokens({ families, onChange: () => undefined, now }),
    fleetSecret: 'the-fleet',
    now,
  });
  const ring = parseKeyRing(await readFile(keys.publicKeysFile, 'utf8'));
  const verifier = createTokenVerifier({ ring, issuer: 'hushryd', audiences: ['user', 'admin'], now });
  return { issue, codes, clock, families, verifier };
}

function replyOf(outcome: TokenOutcome): TokenReply {
  if ('reply' in outcome) return outcome.reply;
  throw new Error(`refused: ${outcome.refused}`);
}

t.test('keys are made once, kept from others, and refused when they are not what they should be', async (t) => {
  const folder = join(await temporaryFolder(t), 'keys');

  const first = await loadSigningKeys(folder);
  const second = await loadSigningKeys(folder);

  t.same(second, first);
  t.equal((await stat(folder)).mode & 0o777, 0o700);
  t.equal((await stat(join(folder, 'signing-key.pem'))).mode & 0o777, 0o600);
  t.notMatch(await readFile(first.publicKeysFile, 'utf8'), /PRIVATE/);
  await writeFile(join(folder, 'signing-key.pem'), 'something else');
  await t.rejects(loadSigningKeys(folder), {
    name: 'StartError',
    message: /signing-key\.pem is not an Ed25519 private key: remove it/,
  });
});

t.test('keys of private fields are made once, kept from others, and not replaced where they are broken', async (t) => {
  const folder = join(await temporaryFolder(t), 'keys');
  const file = join(folder, 'field-keys.json');

  const first = await loadFieldKeys(folder);

  t.same(await loadFieldKeys(folder), first);
  t.equal((await stat(file)).mode & 0o777, 0o600);
  for (const broken of ['{', '{}', JSON.stringify({ ...first, BLIND_INDEX_KEY: 'short' })]) {
    await writeFile(file, broken);
    await t.rejects(loadFieldKeys(folder), { name: 'StartError', message: /field-keys\.json holds no keys/ });
    t.equal(await readFile(file, 'utf8'), broken, 'what it encrypted may still be wanted');
  }
});

t.test('a code of a link gives an operator’s token once, within ten minutes', async (t) => {
  const { issue, codes, clock, verifier } = await setUp(t);
  const code = codes.issue();
  const late = codes.issue();

  const reply = replyOf(issue({ code }, undefined));

  t.match(verifier.verify(reply.token ?? ''), { role: 'operator', audience: 'admin' });
  t.match(reply.user, { role: 'operator', name: 'Operator' });
  t.same(issue({ code }, undefined), { refused: 'code' }, 'not a second time');
  t.same(issue({ code: 'guess' }, undefined), { refused: 'code' });
  clock.nowMs += 10 * minute;
  t.same(issue({ code: late }, undefined), { refused: 'code' }, 'not ten minutes later');
});

t.test('codes are bounded: the hundred newest are kept', async (t) => {
  const codes = createOneTimeCodes();
  const [oldest, second] = Array.from({ length: 101 }, () => codes.issue());

  t.equal(codes.redeem(oldest ?? ''), false);
  t.equal(codes.redeem(second ?? ''), true);
});

t.test('a refresh token works once and gives the next; its second use later ends the sign-in', async (t) => {
  const { issue, codes, clock, families } = await setUp(t);
  const first = replyOf(issue({ code: codes.issue() }, undefined)).refreshToken ?? '';

  const second = replyOf(issue({ refreshToken: first }, undefined)).refreshToken ?? '';
  clock.nowMs += 2 * minute;
  const third = replyOf(issue({ refreshToken: second }, undefined)).refreshToken ?? '';
  clock.nowMs += 2 * minute;

  t.notOk(JSON.stringify(families).includes(third.split('.')[1] ?? '?'), 'only hashes are kept');
  t.same(issue({ refreshToken: second }, undefined), { refused: 'refresh_token' }, 'used before');
  t.same(issue({ refreshToken: third }, undefined), { refused: 'refresh_token' }, 'the thief has nothing either');
});

t.test('a duplicated tab that refreshes a moment later goes on by itself', async (t) => {
  const { issue, codes, clock } = await setUp(t);
  const shared = replyOf(issue({ code: codes.issue() }, undefined)).refreshToken ?? '';

  const one = replyOf(issue({ refreshToken: shared }, undefined)).refreshToken ?? '';
  clock.nowMs += 1000;
  const other = replyOf(issue({ refreshToken: shared }, undefined)).refreshToken ?? '';
  clock.nowMs += 10 * minute;

  t.ok('reply' in issue({ refreshToken: one }, undefined));
  t.ok('reply' in issue({ refreshToken: other }, undefined));
});

t.test('all tokens of one sign-in name one session, those of another sign-in another', async (t) => {
  const { issue, codes, verifier } = await setUp(t);
  const sessionOf = ({ token }: TokenReply) => verifier.verify(token).sessionId;
  const first = replyOf(issue({ code: codes.issue() }, undefined));
  const renewed = replyOf(issue({ refreshToken: first.refreshToken }, undefined));
  const elsewhere = replyOf(issue({ code: codes.issue() }, undefined));

  t.match(sessionOf(first), /^[0-9a-f-]{36}$/);
  t.equal(sessionOf(renewed), sessionOf(first));
  t.not(sessionOf(elsewhere), sessionOf(first));
});

t.test('a sign-in outlives a restart, but not thirty days', async (t) => {
  const file = join(await temporaryFolder(t), 'refresh.json');
  const clock = { nowMs: Date.now() };
  const open = () =>
    createRefreshTokens({
      families: readRefreshFile(file),
      onChange: (families) => writeRefreshFile(file, families),
      now: () => clock.nowMs,
    });
  const { refreshToken: token } = open().issue('o');

  const next = open().rotate(token);
  clock.nowMs += 30 * 24 * 60 * minute;

  t.equal(next?.userId, 'o');
  t.equal((await stat(file)).mode & 0o777, 0o600);
  t.equal(open().rotate(next?.refreshToken ?? ''), undefined);
  await writeFile(file, 'torn{');
  t.same(readRefreshFile(file), {});
});

t.test('the fleet speaks for whom it likes, and nobody else does', async (t) => {
  const { issue, verifier } = await setUp(t);
  const body = { userId: 'car-1', role: 'driver' };

  const reply = replyOf(issue(body, 'Bearer the-fleet'));

  t.match(verifier.verify(reply.token ?? ''), { userId: 'car-1', role: 'driver', audience: 'user' });
  t.equal(reply.refreshToken, undefined);
  t.same(issue(body, undefined), { refused: 'fleet_secret' });
  t.same(issue(body, 'Bearer guess'), { refused: 'fleet_secret' });
  t.same(issue({ ...body, role: 'admin' }, 'Bearer the-fleet'), { refused: 'body' });
  t.same(issue({ ...body, userId: 'a b' }, 'Bearer the-fleet'), { refused: 'body' });
  t.same(issue({ code: 7 }, undefined), { refused: 'body' });
  t.same(issue(null, undefined), { refused: 'body' });
});
