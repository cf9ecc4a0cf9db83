import { readEnvironment } from '@hushryd/platform/config/read-environment';
import { providersEnvironment } from '@hushryd/providers/providers-environment';
import t from 'tap';
import Type from 'typebox';
import { dispatchEnvironment } from '../dispatch/dispatch-settings.ts';
import { notificationsEnvironment } from '../notifications/notification-settings.ts';
import { checkAddresses } from './check-addresses.ts';

const environment = Type.Object({ ...providersEnvironment, ...notificationsEnvironment, ...dispatchEnvironment });
const hex = (digit: string) => digit.repeat(32);
const twilio = { TWILIO_ACCOUNT_SID: `AC${hex('0')}`, TWILIO_AUTH_TOKEN: 'token', WEBHOOK_PATH_KEY: hex('k') };
const exotel = {
  ...{ EXOTEL_ACCOUNT_SID: 'sid', EXOTEL_API_KEY: 'key', EXOTEL_API_TOKEN: 'token', EXOTEL_CALLER_ID: 'caller' },
  ...{ EXOTEL_FLOW_ID: 'flow', WEBHOOK_PATH_KEY: hex('k') },
};
const incidents = { PAGERDUTY_ROUTING_KEY: 'key' };
const webhooks = { WEBHOOK_BASE_URL: 'https://api.example/v1/webhooks' };
const pages = {
  SHARE_PAGE_URL: 'https://api.example/share.html',
  SOS_DESK_URL: 'https://console.example/#/sos?alert={alertId}',
};

function problemsOf(variables: Record<string, string>, NODE_ENV = 'development'): string[] {
  try {
    checkAddresses({ ...readEnvironment(environment, variables), NODE_ENV });
    return [];
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ConfigError') throw error;
    return error.message.split('\n');
  }
}

t.test('who tells receipts to an address has to be told one', async (t) => {
  for (const [name, variables] of Object.entries({
    Twilio: { ...twilio, TWILIO_FROM: '+12025550100' },
    'Twilio and Exotel': { ...twilio, ...exotel, TWILIO_VOICE_FROM: '+12025550100' },
    Exotel: exotel,
  })) {
    const [problem, ...others] = problemsOf(variables);
    t.match(problem, new RegExp(`^WEBHOOK_BASE_URL is missing: set it to where ${name} reach .*https://`));
    t.same(others, []);
    t.same(problemsOf({ ...variables, ...webhooks }), []);
    t.not(problemsOf({ ...variables, WEBHOOK_BASE_URL: '' }).length, 0, 'an empty one is none');
  }
  t.same(problemsOf({}), [], 'nobody sends');
  t.same(problemsOf({ MSG91_AUTH_KEY: 'k', MSG91_SENDER_ID: 's', WEBHOOK_PATH_KEY: hex('k') }), [], 'by its own panel');
});

t.test('in production no message leads to the machine of whoever wrote this', async (t) => {
  for (const variables of [incidents, { ...twilio, ...webhooks, TWILIO_FROM: '+12025550100' }]) {
    t.match(problemsOf(variables, 'production'), [
      /^SHARE_PAGE_URL is missing, .*127\.0\.0\.1:5000.*: set it to .*https:\/\//,
      /^SOS_DESK_URL is missing, .*localhost:5002.*: set it to .*https:\/\//,
    ]);
    t.same(problemsOf({ ...variables, ...pages }, 'production'), []);
    t.same(problemsOf(variables, 'test'), []);
  }
  t.same(problemsOf({}, 'production'), [], 'nobody sends');
});

t.test('a company that is set up by half is named first', async (t) => {
  t.match(problemsOf({ TWILIO_FROM: '+12025550100' }, 'production'), [/^TWILIO_ACCOUNT_SID is missing/]);
});
