import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import t from 'tap';
import Type from 'typebox';
import { createProviders } from '../src/providers.ts';
import { providersEnvironment } from '../src/providers-environment.ts';
import { createCredentials } from '../src/sandbox/credentials.ts';
import { toEnvironment } from '../src/sandbox/environment.ts';

const complete = toEnvironment('http://127.0.0.1:9', createCredentials());
const open = (environment: Record<string, string>) =>
  createProviders(readEnvironment(Type.Object(providersEnvironment), environment));
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(complete).filter(([name]) => !names.includes(name)));
const names = (providers: ReturnType<typeof open>) =>
  (['sms', 'whatsapp', 'email', 'push', 'voice', 'incident'] as const).map((channel) =>
    providers[channel].map(({ name }) => name),
  );

t.test('every company that is set up is there, in the order of the design', async (t) => {
  t.same(names(open(complete)), [
    ['twilio-sms', 'msg91'],
    ['whatsapp-cloud'],
    ['sendgrid', 'mailgun'],
    ['fcm'],
    ['twilio-voice', 'exotel'],
    ['pagerduty'],
  ]);
});

t.test('clients are loaded when they are first needed, or when that is asked for', async (t) => {
  const loaded = (name: string) =>
    Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes(`/node_modules/${name}/`));
  const providers = open(complete);
  t.notOk(loaded('twilio'), 'not by being set up');
  t.notOk(loaded('@sendgrid/mail'));

  await providers.warmUp();

  t.ok(loaded('twilio'));
  t.ok(loaded('@sendgrid/mail'));
});

t.test('the order is a setting', async (t) => {
  const providers = open({ ...complete, SMS_PROVIDERS: 'msg91,twilio-sms', EMAIL_PROVIDERS: 'mailgun' });

  t.same(names(providers).slice(0, 3), [['msg91', 'twilio-sms'], ['whatsapp-cloud'], ['mailgun']]);
  t.throws(() => open({ ...complete, SMS_PROVIDERS: 'pigeon' }), { name: 'ConfigError', message: /^SMS_PROVIDERS is/ });
});

t.test('what is not set up is absent, and without anything there is nobody', async (t) => {
  t.same(names(open({})), [[], [], [], [], [], []]);
  t.equal(open({}).hasCarriers, false);
  t.equal(
    open({ PAGERDUTY_ROUTING_KEY: complete.PAGERDUTY_ROUTING_KEY ?? '' }).hasCarriers,
    false,
    'an incident is no message',
  );
  t.equal(open({ FCM_SERVICE_ACCOUNT: complete.FCM_SERVICE_ACCOUNT ?? '' }).hasCarriers, true);
  t.same(names(open(without('MSG91_AUTH_KEY', 'MSG91_SENDER_ID')))[0], ['twilio-sms']);
  t.same(names(open(without('TWILIO_VOICE_FROM')))[4], ['exotel'], 'an account may send texts alone');
});

const halves: readonly [missing: readonly string[], sentence: RegExp][] = [
  [
    ['TWILIO_AUTH_TOKEN'],
    /^TWILIO_AUTH_TOKEN is missing: set it, or remove TWILIO_ACCOUNT_SID to do without Twilio\.$/m,
  ],
  [['TWILIO_FROM', 'TWILIO_VOICE_FROM'], /^Twilio is set up for nothing: set TWILIO_FROM/m],
  [['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN'], /^TWILIO_ACCOUNT_SID is missing: set it with TWILIO_AUTH_TOKEN/m],
  [['MSG91_SENDER_ID'], /^MSG91_SENDER_ID is missing: set it, or remove MSG91_AUTH_KEY to do without MSG91\.$/m],
  [['WHATSAPP_APP_SECRET'], /^WHATSAPP_APP_SECRET is missing: .* to do without WhatsApp\.$/m],
  [['SENDGRID_WEBHOOK_PUBLIC_KEY'], /^SENDGRID_WEBHOOK_PUBLIC_KEY is missing: .* to do without SendGrid\.$/m],
  [['MAILGUN_DOMAIN'], /^MAILGUN_DOMAIN is missing: .* to do without Mailgun\.$/m],
  [['EXOTEL_FLOW_ID', 'EXOTEL_API_KEY'], /^EXOTEL_API_KEY is missing: .*\nEXOTEL_FLOW_ID is missing: /m],
  [['WEBHOOK_PATH_KEY'], /^WEBHOOK_PATH_KEY is missing: set it to at least 32 random characters/m],
];
for (const [missing, sentence] of halves) {
  t.test(`without ${missing.join(' and ')} the start stops with a sentence`, async (t) => {
    t.throws(() => open(without(...missing)), { name: 'ConfigError', message: sentence });
  });
}

t.test('keys that cannot be read stop the start, and are not shown', async (t) => {
  const message = (environment: Record<string, string>) => {
    try {
      open({ ...complete, ...environment });
      return 'nothing was wrong';
    } catch (error) {
      return (error as Error).message;
    }
  };

  t.match(message({ SENDGRID_WEBHOOK_PUBLIC_KEY: 'none' }), /^SENDGRID_WEBHOOK_PUBLIC_KEY is no public key/);
  t.match(message({ FCM_SERVICE_ACCOUNT: '{}' }), /^FCM_SERVICE_ACCOUNT holds no project_id, client_email/);
  const account = { ...JSON.parse(complete.FCM_SERVICE_ACCOUNT ?? ''), private_key: 'canary' };
  t.match(message({ FCM_SERVICE_ACCOUNT: JSON.stringify(account) }), /private_key that cannot be read/);
  t.notMatch(message({ FCM_SERVICE_ACCOUNT: JSON.stringify(account) }), 'canary');
  t.match(
    message({ FCM_SERVICE_ACCOUNT: '', FCM_SERVICE_ACCOUNT_FILE: '/no/such' }),
    /names \/no\/such, which cannot be read/,
  );
  t.match(message({ TWILIO_ACCOUNT_SID: 'canary' }), /^TWILIO_ACCOUNT_SID is/);
});

t.test('the service account may stand in a file', async (t) => {
  const path = join(t.testdir({}), 'account.json');
  writeFileSync(path, complete.FCM_SERVICE_ACCOUNT ?? '');

  t.same(names(open({ ...complete, FCM_SERVICE_ACCOUNT: '', FCM_SERVICE_ACCOUNT_FILE: path }))[3], ['fcm']);
});

t.test('webhooks know the secret before, while it is rotated', async (t) => {
  const { webhookKeys } = open({
    ...complete,
    TWILIO_AUTH_TOKEN_PREVIOUS: 'before',
    WEBHOOK_PATH_KEY_PREVIOUS: 'p'.repeat(32),
  });

  t.same(webhookKeys.twilio, [complete.TWILIO_AUTH_TOKEN, 'before']);
  t.same(webhookKeys.path, [complete.WEBHOOK_PATH_KEY, 'p'.repeat(32)]);
  t.same(webhookKeys.mailgun, [complete.MAILGUN_WEBHOOK_SIGNING_KEY]);
});
