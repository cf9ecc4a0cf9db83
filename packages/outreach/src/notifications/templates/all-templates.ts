import type { messageTemplates } from '@hushryd/contracts/http/notifications';
import { contactVerify } from './contact-verify.ts';
import { onCallPage } from './on-call-page.ts';
import { otp } from './otp.ts';
import { rideEnded } from './ride-ended.ts';
import { rideStarted } from './ride-started.ts';
import { sosAlert } from './sos-alert.ts';
import { sosCallBack } from './sos-call-back.ts';
import { sosDrill } from './sos-drill.ts';
import { sosResolved } from './sos-resolved.ts';
import type { Template } from './template.ts';

/** Every template by the name that records, and the vendors' registered ids in the configuration, know it by. */
export const allTemplates = {
  otp,
  contact_verify: contactVerify,
  ride_started: rideStarted,
  ride_ended: rideEnded,
  sos_alert: sosAlert,
  sos_call_back: sosCallBack,
  sos_drill: sosDrill,
  sos_resolved: sosResolved,
  on_call_page: onCallPage,
} as const satisfies Record<TemplateName, Template>;

export type TemplateName = (typeof messageTemplates)[number];

export const templateOf = (name: TemplateName): Template => allTemplates[name];
