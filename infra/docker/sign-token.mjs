#!/usr/bin/env node
// Prints an access token for the services that docker compose runs, signed with the key of make-env.mjs; good for 15 minutes.
// Usage: node infra/docker/sign-token.mjs operator|driver|rider [user id]
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const roles = ['operator', 'driver', 'rider'];
const lifetimeSeconds = 15 * 60;
const [role, userId = `${role}-1`] = process.argv.slice(2);

if (!roles.includes(role)) {
  console.error(`Usage: node infra/docker/sign-token.mjs ${roles.join('|')} [user id]`);
  process.exit(1);
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowSeconds = Math.floor(Date.now() / 1000);
const head = encode({ alg: 'EdDSA', typ: 'at+jwt', kid: 'docker' });
const claims = encode({
  iss: process.env.TOKEN_ISSUER ?? 'hushryd',
  sub: userId,
  aud: role === 'operator' ? 'admin' : 'user',
  role,
  jti: randomUUID(),
  iat: nowSeconds,
  nbf: nowSeconds,
  exp: nowSeconds + lifetimeSeconds,
});
const key = createPrivateKey(readFileSync(resolve(import.meta.dirname, '../../.hushryd/docker/signing-key.pem')));

console.log(`${head}.${claims}.${sign(null, Buffer.from(`${head}.${claims}`), key).toString('base64url')}`);
