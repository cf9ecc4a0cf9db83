import { readEnvironment } from '@hushryd/platform/config/read-environment';
import { commonEnvironment } from '@hushryd/platform/config/shared-environment';
import Type from 'typebox';

const address = { pattern: '^https?://[^/]+', expects: 'an address such as http://127.0.0.1:5000/v1/webhooks' };

const environment = Type.Object({
  LOG_LEVEL: commonEnvironment.LOG_LEVEL,
  HOST: commonEnvironment.HOST,
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 5_020 }),
  SHUTDOWN_TIMEOUT_MS: commonEnvironment.SHUTDOWN_TIMEOUT_MS,
  /** Asked before each call of a provider is answered. */
  CALL_OBSERVER_URL: Type.Optional(Type.String(address)),
  /** Where the played companies send receipts that go to one address for all messages. */
  WEBHOOK_BASE_URL: Type.Optional(Type.String(address)),
  /** A file that keeps the credentials between starts (0600). Without it each start makes new ones. */
  SANDBOX_CREDENTIALS_FILE: Type.Optional(Type.String()),
  SANDBOX_MAX_MESSAGES: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 2_000 }),
  SANDBOX_RECEIPT_DELAY_MS: Type.Integer({ minimum: 0, maximum: 600_000, default: 600 }),
});

/** @throws ConfigError with one sentence for each bad variable */
export function readSandboxConfig(env: Readonly<Record<string, string | undefined>>) {
  const values = readEnvironment(environment, env);
  return {
    logLevel: values.LOG_LEVEL,
    host: values.HOST,
    port: values.PORT,
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
    observerUrl: values.CALL_OBSERVER_URL,
    webhookBaseUrl: values.WEBHOOK_BASE_URL?.replace(/\/$/, ''),
    credentialsFile: values.SANDBOX_CREDENTIALS_FILE,
    maxMessages: values.SANDBOX_MAX_MESSAGES,
    receiptDelayMs: values.SANDBOX_RECEIPT_DELAY_MS,
  };
}
