import { ConfigError } from '@hushryd/platform/config/config-error';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import {
  type ProviderSettings,
  type ProviderVariables,
  toProviderSettings,
} from '@hushryd/providers/provider-settings';
import Type, { type Static, type TObject } from 'typebox';
import { dispatchEnvironment } from '../dispatch/dispatch-settings.ts';
import type { notificationsEnvironment } from '../notifications/notification-settings.ts';

type Variables = ProviderVariables &
  Pick<Static<TObject<typeof notificationsEnvironment>>, 'WEBHOOK_BASE_URL'> &
  Pick<Static<TObject<typeof dispatchEnvironment>>, 'SHARE_PAGE_URL' | 'SOS_DESK_URL'> & { NODE_ENV: string };

/**
 * Whether whatever is sent can be answered: receipts and keys come to us, and what a message links to can be opened by whoever gets it.
 *
 * @throws ConfigError with one sentence for each address that is missing; and for a company that is set up by half
 */
export function checkAddresses(values: Variables): void {
  const companies = toProviderSettings(values);
  const telling = tellingByAddress(companies);
  const problems: string[] = [];
  if (telling.length > 0 && values.WEBHOOK_BASE_URL === undefined) {
    problems.push(
      `WEBHOOK_BASE_URL is missing: set it to where ${telling.join(' and ')} reach the api, such as https://api.example/v1/webhooks; without it no receipt comes, so that every text goes twice, and no key that is pressed in a call acknowledges.`,
    );
  }
  const isUsed = Object.values(companies).some((company) => company !== undefined);
  if (values.NODE_ENV === 'production' && isUsed) {
    problems.push(
      ...developmentAddress('SHARE_PAGE_URL', values, 'the page of contacts, such as https://api.example/share.html'),
      ...developmentAddress(
        'SOS_DESK_URL',
        values,
        'where staff take an alert, such as https://console.example/#/sos?alert={alertId}',
      ),
    );
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
}

/** Others have the address of their receipts in their own settings. */
function tellingByAddress({ twilioSms, twilioVoice, exotel }: ProviderSettings): string[] {
  return [(twilioSms ?? twilioVoice) !== undefined ? 'Twilio' : [], exotel !== undefined ? 'Exotel' : []].flat();
}

const { SHARE_PAGE_URL, SOS_DESK_URL } = dispatchEnvironment;
const ofDevelopment = readEnvironment(Type.Object({ SHARE_PAGE_URL, SOS_DESK_URL }), {});

/** Nobody but this machine opens it. */
function developmentAddress(name: 'SHARE_PAGE_URL' | 'SOS_DESK_URL', values: Variables, remedy: string): string[] {
  if (values[name] !== ofDevelopment[name]) return [];
  return [
    `${name} is missing, and messages go to people who cannot open ${JSON.stringify(values[name])}: set it to ${remedy}.`,
  ];
}
