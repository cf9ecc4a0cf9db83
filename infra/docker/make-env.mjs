#!/usr/bin/env node
// Writes .env for docker compose: .env.example with fresh secrets, keys for private fields, and a key pair to sign tokens with.
// The private key stays in .hushryd/docker/ (0600); the services get the public one. Nothing that exists is overwritten.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const rootDir = resolve(import.meta.dirname, '../..');
const envFile = join(rootDir, '.env');
const keyFile = join(rootDir, '.hushryd/docker/signing-key.pem');

if (existsSync(envFile)) {
  console.error(`${envFile} is there already: delete it (or move it away) to make a new one.`);
  process.exit(1);
}

const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
mkdirSync(join(rootDir, '.hushryd/docker'), { recursive: true, mode: 0o700 });
writeFileSync(keyFile, privateKey, { mode: 0o600 });

const values = {
  MONGODB_ROOT_USERNAME: 'admin',
  // Hexadecimal, so that they need no escaping in an address.
  MONGODB_ROOT_PASSWORD: randomBytes(24).toString('hex'),
  SERVICE_TOKEN: randomBytes(32).toString('hex'),
  // Single quotes: compose takes what is inside as it is, and JSON turns \n into line ends.
  FIELD_KEYS: `'${JSON.stringify({ docker: randomBytes(32).toString('base64') })}'`,
  FIELD_KEY_CURRENT: 'docker',
  BLIND_INDEX_KEY: randomBytes(32).toString('base64'),
  TOKEN_PUBLIC_KEYS: `'${JSON.stringify({ docker: publicKey })}'`,
};
let text = readFileSync(join(rootDir, '.env.example'), 'utf8');
for (const [name, value] of Object.entries(values)) {
  text = text.replace(new RegExp(`^${name}=.*$`, 'm'), () => `${name}=${value}`);
}
writeFileSync(envFile, text, { mode: 0o600 });
console.log('Wrote .env. Next: docker compose up --build --wait');
console.log('A token for the api: node infra/docker/sign-token.mjs operator');
