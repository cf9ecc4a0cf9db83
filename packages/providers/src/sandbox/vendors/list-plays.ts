import type { SandboxCredentials } from '../credentials.ts';
import { vendorPaths } from '../environment.ts';
import { createExotelPlay } from './exotel-play.ts';
import { createFcmPlay } from './fcm-play.ts';
import type { GoogleTokens } from './google-tokens.ts';
import { createMailgunPlay } from './mailgun-play.ts';
import { createMsg91Play } from './msg91-play.ts';
import { createPagerDutyPlay } from './pagerduty-play.ts';
import { createSendgridPlay } from './sendgrid-play.ts';
import { createTwilioAccount } from './twilio-account.ts';
import { createTwilioSmsPlay } from './twilio-sms-play.ts';
import { createTwilioVoicePlay } from './twilio-voice-play.ts';
import type { VendorPlay } from './vendor-play.ts';
import { createWhatsAppPlay } from './whatsapp-play.ts';

/** A company and where its API begins. */
export interface PlacedPlay {
  readonly basePath: string;
  readonly play: VendorPlay;
}

/** Every company that is played. */
export function listPlays(credentials: SandboxCredentials, googleTokens: GoogleTokens): PlacedPlay[] {
  const twilio = createTwilioAccount(credentials.twilio);
  return [
    { basePath: vendorPaths.twilio, play: createTwilioSmsPlay(twilio, credentials.twilio) },
    { basePath: vendorPaths.twilio, play: createTwilioVoicePlay(twilio, credentials.twilio) },
    { basePath: vendorPaths.msg91, play: createMsg91Play(credentials.msg91) },
    { basePath: vendorPaths.whatsapp, play: createWhatsAppPlay(credentials.whatsapp) },
    { basePath: vendorPaths.sendgrid, play: createSendgridPlay(credentials.sendgrid) },
    { basePath: vendorPaths.mailgun, play: createMailgunPlay(credentials.mailgun) },
    { basePath: vendorPaths.fcm, play: createFcmPlay(credentials.fcm, googleTokens) },
    { basePath: vendorPaths.exotel, play: createExotelPlay(credentials.exotel) },
    { basePath: vendorPaths.pagerduty, play: createPagerDutyPlay(credentials.pagerduty) },
  ];
}
