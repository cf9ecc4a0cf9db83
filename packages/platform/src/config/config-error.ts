/**
 * A setting that stops the start. The message is written for whoever started the process: one sentence per bad setting, naming it
 * and what to do.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config_invalid';
}
