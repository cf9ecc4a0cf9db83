import type { SandboxCredentials } from './credentials.ts';

/** Where each company is played, below the sandbox's own address. */
export const vendorPaths = {
  twilio: '/twilio',
  msg91: '/msg91',
  whatsapp: '/graph/v23.0',
  sendgrid: '/sendgrid',
  mailgun: '/mailgun',
  fcm: '/fcm',
  googleTokens: '/google/token',
  exotel: '/exotel',
  pagerduty: '/pagerduty',
} as const;

/** Variables with which a service finds every company in the sandbox: what providers-environment.ts reads. */
export function toEnvironment(url: string, credentials: SandboxCredentials): Record<string, string> {
  const { twilio, msg91, whatsapp, sendgrid, mailgun, fcm, exotel, pagerduty } = credentials;
  return {
    TWILIO_BASE_URL: `${url}${vendorPaths.twilio}`,
    TWILIO_ACCOUNT_SID: twilio.accountSid,
    TWILIO_AUTH_TOKEN: twilio.authToken,
    TWILIO_FROM: twilio.from,
    TWILIO_VOICE_FROM: twilio.from,
    MSG91_BASE_URL: `${url}${vendorPaths.msg91}`,
    MSG91_AUTH_KEY: msg91.authKey,
    MSG91_SENDER_ID: msg91.senderId,
    WHATSAPP_BASE_URL: `${url}${vendorPaths.whatsapp}`,
    WHATSAPP_PHONE_NUMBER_ID: whatsapp.phoneNumberId,
    WHATSAPP_ACCESS_TOKEN: whatsapp.accessToken,
    WHATSAPP_APP_SECRET: whatsapp.appSecret,
    WHATSAPP_VERIFY_TOKEN: whatsapp.verifyToken,
    SENDGRID_BASE_URL: `${url}${vendorPaths.sendgrid}`,
    SENDGRID_API_KEY: sendgrid.apiKey,
    SENDGRID_FROM: 'HushRyd <alerts@mail.hushryd.test>',
    SENDGRID_WEBHOOK_PUBLIC_KEY: sendgrid.publicKey,
    MAILGUN_BASE_URL: `${url}${vendorPaths.mailgun}`,
    MAILGUN_API_KEY: mailgun.apiKey,
    MAILGUN_DOMAIN: mailgun.domain,
    MAILGUN_FROM: `HushRyd <alerts@${mailgun.domain}>`,
    MAILGUN_WEBHOOK_SIGNING_KEY: mailgun.signingKey,
    FCM_BASE_URL: `${url}${vendorPaths.fcm}`,
    FCM_SERVICE_ACCOUNT: JSON.stringify({
      type: 'service_account',
      project_id: fcm.projectId,
      client_email: fcm.clientEmail,
      private_key: fcm.privateKey,
      token_uri: `${url}${vendorPaths.googleTokens}`,
    }),
    EXOTEL_BASE_URL: `${url}${vendorPaths.exotel}`,
    EXOTEL_ACCOUNT_SID: exotel.accountSid,
    EXOTEL_API_KEY: exotel.apiKey,
    EXOTEL_API_TOKEN: exotel.apiToken,
    EXOTEL_CALLER_ID: exotel.callerId,
    EXOTEL_FLOW_ID: exotel.flowId,
    PAGERDUTY_BASE_URL: `${url}${vendorPaths.pagerduty}`,
    PAGERDUTY_ROUTING_KEY: pagerduty.routingKey,
    WEBHOOK_PATH_KEY: credentials.pathKey,
  };
}
