import Type from 'typebox';

const address = (example: string) => ({
  default: example,
  pattern: '^https?://[^/]+',
  expects: `an address such as ${example}`,
});
const secret = (expects: string) => ({ minLength: 1, secret: true, expects });
const text = (expects: string) => ({ minLength: 1, expects });

/**
 * Variables of every process that sends: spread into a service's schema. A company none of whose variables is set is not used; what is
 * set by half stops the start (providers.ts). `…_PREVIOUS` is the secret before, still accepted in webhooks while it is rotated.
 */
export const providersEnvironment = {
  /** Which companies carry a channel, the first first. Those that are not set up are left out. */
  SMS_PROVIDERS: Type.Array(Type.Union([Type.Literal('twilio-sms'), Type.Literal('msg91')]), {
    default: ['twilio-sms', 'msg91'],
  }),
  EMAIL_PROVIDERS: Type.Array(Type.Union([Type.Literal('sendgrid'), Type.Literal('mailgun')]), {
    default: ['sendgrid', 'mailgun'],
  }),
  VOICE_PROVIDERS: Type.Array(Type.Union([Type.Literal('twilio-voice'), Type.Literal('exotel')]), {
    default: ['twilio-voice', 'exotel'],
  }),

  TWILIO_ACCOUNT_SID: Type.Optional(
    Type.String({ pattern: '^AC[0-9a-f]{32}$', expects: 'AC and 32 hexadecimal digits' }),
  ),
  TWILIO_AUTH_TOKEN: Type.Optional(Type.String(secret('the auth token of the account'))),
  TWILIO_AUTH_TOKEN_PREVIOUS: Type.Optional(Type.String(secret('the auth token before'))),
  TWILIO_FROM: Type.Optional(Type.String(text('a number in E.164 or a messaging service (MG…)'))),
  TWILIO_VOICE_FROM: Type.Optional(Type.String(text('a number in E.164 that may call'))),
  TWILIO_BASE_URL: Type.String(address('https://api.twilio.com')),

  MSG91_AUTH_KEY: Type.Optional(Type.String(secret('the authkey of the account'))),
  MSG91_SENDER_ID: Type.Optional(Type.String(text('the registered sender id'))),
  MSG91_BASE_URL: Type.String(address('https://control.msg91.com')),

  WHATSAPP_PHONE_NUMBER_ID: Type.Optional(Type.String(text('the id of the phone number at Meta'))),
  WHATSAPP_ACCESS_TOKEN: Type.Optional(Type.String(secret('an access token of the system user'))),
  WHATSAPP_APP_SECRET: Type.Optional(Type.String(secret('the secret of the app, which signs webhooks'))),
  WHATSAPP_APP_SECRET_PREVIOUS: Type.Optional(Type.String(secret('the secret of the app before'))),
  WHATSAPP_VERIFY_TOKEN: Type.Optional(Type.String(secret("what Meta's panel shows us when the webhook is set up"))),
  /** With the version of the API. */
  WHATSAPP_BASE_URL: Type.String(address('https://graph.facebook.com/v23.0')),

  SENDGRID_API_KEY: Type.Optional(Type.String(secret('an API key that may send mail'))),
  SENDGRID_FROM: Type.Optional(Type.String(text('a verified sender such as HushRyd <alerts@example.org>'))),
  SENDGRID_WEBHOOK_PUBLIC_KEY: Type.Optional(Type.String(text('the public key of the signed event webhook, base64'))),
  SENDGRID_WEBHOOK_PUBLIC_KEY_PREVIOUS: Type.Optional(Type.String(text('the public key before'))),
  SENDGRID_BASE_URL: Type.String(address('https://api.sendgrid.com')),

  MAILGUN_API_KEY: Type.Optional(Type.String(secret('an API key that may send mail'))),
  MAILGUN_DOMAIN: Type.Optional(Type.String(text('the sending domain'))),
  MAILGUN_FROM: Type.Optional(Type.String(text('a sender of that domain such as HushRyd <alerts@example.org>'))),
  MAILGUN_WEBHOOK_SIGNING_KEY: Type.Optional(Type.String(secret('the HTTP webhook signing key'))),
  MAILGUN_WEBHOOK_SIGNING_KEY_PREVIOUS: Type.Optional(Type.String(secret('the HTTP webhook signing key before'))),
  MAILGUN_BASE_URL: Type.String(address('https://api.mailgun.net')),

  /** The JSON itself, or the path of a file with it. */
  FCM_SERVICE_ACCOUNT: Type.Optional(Type.String(secret("the service account's JSON"))),
  FCM_SERVICE_ACCOUNT_FILE: Type.Optional(Type.String(text("the path of the service account's JSON"))),
  FCM_BASE_URL: Type.String(address('https://fcm.googleapis.com')),

  EXOTEL_ACCOUNT_SID: Type.Optional(Type.String(text('the account SID'))),
  EXOTEL_API_KEY: Type.Optional(Type.String(secret('the API key'))),
  EXOTEL_API_TOKEN: Type.Optional(Type.String(secret('the API token'))),
  EXOTEL_CALLER_ID: Type.Optional(Type.String(text('the ExoPhone that calls'))),
  EXOTEL_FLOW_ID: Type.Optional(Type.String(text('the id of the flow that speaks'))),
  EXOTEL_BASE_URL: Type.String(address('https://api.exotel.com')),

  PAGERDUTY_ROUTING_KEY: Type.Optional(Type.String(secret('the integration key of the service'))),
  PAGERDUTY_BASE_URL: Type.String(address('https://events.pagerduty.com')),

  /** Signs addresses and ids for vendors that sign nothing. */
  WEBHOOK_PATH_KEY: Type.Optional(
    Type.String({ minLength: 32, secret: true, expects: 'at least 32 random characters, the same in every process' }),
  ),
  WEBHOOK_PATH_KEY_PREVIOUS: Type.Optional(
    Type.String({ minLength: 32, secret: true, expects: 'the value of WEBHOOK_PATH_KEY before' }),
  ),
};
