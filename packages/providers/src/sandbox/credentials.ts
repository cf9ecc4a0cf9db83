import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What the played companies know their customer by. Made anew, never written in code. */
export interface SandboxCredentials {
  readonly twilio: { readonly accountSid: string; readonly authToken: string; readonly from: string };
  readonly msg91: { readonly authKey: string; readonly senderId: string };
  readonly whatsapp: {
    readonly phoneNumberId: string;
    readonly accessToken: string;
    readonly appSecret: string;
    readonly verifyToken: string;
  };
  /** Keys of the event webhook: SPKI and PKCS #8 in DER, base64. */
  readonly sendgrid: { readonly apiKey: string; readonly publicKey: string; readonly privateKey: string };
  readonly mailgun: { readonly apiKey: string; readonly domain: string; readonly signingKey: string };
  /** Keys of the service account in PEM. */
  readonly fcm: {
    readonly projectId: string;
    readonly clientEmail: string;
    readonly privateKey: string;
    readonly publicKey: string;
  };
  readonly exotel: {
    readonly accountSid: string;
    readonly apiKey: string;
    readonly apiToken: string;
    readonly callerId: string;
    readonly flowId: string;
  };
  readonly pagerduty: { readonly routingKey: string };
  /** Signs the addresses and ids of vendors that sign nothing. */
  readonly pathKey: string;
}

/** New credentials in the forms that the vendors use. Cost: an RSA key, some 100 ms. */
export function createCredentials(): SandboxCredentials {
  const events = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const account = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    twilio: { accountSid: `AC${hex(32)}`, authToken: hex(32), from: phoneNumber('+1415555') },
    msg91: { authKey: `${randomInt(100_000, 999_999)}A${hex(20)}`, senderId: 'HSHRYD' },
    whatsapp: {
      phoneNumberId: digits(15),
      accessToken: `EAA${text(60)}`,
      appSecret: hex(32),
      verifyToken: text(32),
    },
    sendgrid: {
      apiKey: `SG.${text(22)}.${text(43)}`,
      publicKey: events.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
      privateKey: events.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    },
    mailgun: { apiKey: `key-${hex(32)}`, domain: 'mail.hushryd.test', signingKey: hex(32) },
    fcm: {
      projectId: `hushryd-${hex(5)}`,
      clientEmail: `sender@hushryd-${hex(5)}.iam.gserviceaccount.test`,
      privateKey: account.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      publicKey: account.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    },
    exotel: {
      accountSid: `hushryd${randomInt(1, 9)}`,
      apiKey: hex(48),
      apiToken: hex(48),
      callerId: phoneNumber('080'),
      flowId: digits(6),
    },
    pagerduty: { routingKey: hex(32) },
    pathKey: text(48),
  };
}

/** The credentials of the run before, so that services which know them may go on; a new file (0600) where there is none. */
export function keepCredentials(path: string): SandboxCredentials {
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as SandboxCredentials;
  const credentials = createCredentials();
  writeFileSync(path, JSON.stringify(credentials), { mode: 0o600 });
  return credentials;
}

function hex(length: number): string {
  return randomBytes(Math.ceil(length / 2))
    .toString('hex')
    .slice(0, length);
}

function text(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length);
}

function digits(length: number): string {
  return Array.from({ length }, () => randomInt(1, 10)).join('');
}

function phoneNumber(prefix: string): string {
  return `${prefix}${digits(11 - prefix.replace('+', '').length)}`;
}
