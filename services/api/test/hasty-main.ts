import { alertAttemptId } from '@hushryd/outreach/dispatch/attempt-id';
import { createProviders } from '@hushryd/providers/providers';
import { webhookAddress } from '@hushryd/providers/receipts/webhook-addresses';
import { runBrokenApi } from './run-broken-api.ts';

// The negative control of the tests that nobody is told of an alert that nothing holds: an api that sends a text first and persists then.

runBrokenApi((real, { config, lifecycle }) => {
  const providers = createProviders(config.providers);
  lifecycle.add('hasty providers', () => providers.close());
  const [key = ''] = providers.webhookKeys.path;
  return {
    ...real,
    async raise(press) {
      const attemptId = alertAttemptId({ alertId: press.trigger.alertId, entryId: 'hasty', number: '1-1' });
      const receiptUrl = webhookAddress({
        baseUrl: 'http://127.0.0.1:9/v1/webhooks',
        provider: 'twilio-sms',
        attemptId,
        key,
      });
      await providers.sms[0]?.send({ to: '+15555550199', text: 'SOS' }, { attemptId, receiptUrl });
      return real.raise(press);
    },
  };
});
