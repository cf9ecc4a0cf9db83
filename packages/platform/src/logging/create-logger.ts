import { createRequire } from 'node:module';
import { type DestinationStream, type LoggerOptions, pino } from 'pino';
import { hideInText } from './hide-in-text.ts';
import { hidePrivate } from './hide-private.ts';
import type { Logger } from './logger.ts';

/**
 * The logger of a process: one JSON line an entry, everything hidden that allowed-keys.ts does not name.
 *
 * It holds for child loggers and for errors too, and cannot be widened by a caller. Message arguments (`%s`) are not supported:
 * values belong into the object. On a terminal, and only there, lines are made for people.
 *
 * @param level `debug` and below also show stack traces
 */
export function createLogger({
  service,
  instanceId,
  level,
  destination,
}: {
  service: string;
  instanceId: string;
  level: string;
  destination?: DestinationStream;
}): Logger {
  const withStack = level === 'debug' || level === 'trace';
  const options: LoggerOptions = {
    level,
    base: { service, instanceId },
    timestamp: pino.stdTimeFunctions.isoTime,
    // hidePrivate has made plain objects of errors; pino's own serializer would add the message and the stack again.
    serializers: { err: (safeError) => safeError },
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => hidePrivate(fields, { withStack }),
    },
    hooks: {
      logMethod([first, second], write) {
        if (typeof first === 'string') write.call(this, {}, hideInText(first));
        // Without a message pino would take the error's own.
        else write.call(this, toFields(first), typeof second === 'string' ? hideInText(second) : '');
      },
    },
  };
  const root = pino(options, destination ?? standardOutput());

  // pino skips the formatters for what a child binds, and lets a child bring its own serializers.
  const bindChild = root.child;
  root.child = function child(this: typeof root, bindings: object) {
    return bindChild.call(this, hidePrivate(bindings, { withStack }));
  } as typeof root.child;
  const setBindings = root.setBindings;
  root.setBindings = function set(this: typeof root, bindings: object) {
    setBindings.call(this, hidePrivate(bindings, { withStack }));
  };

  return root as Logger;
}

function toFields(value: unknown): object {
  if (value instanceof Error) return { err: value };
  return typeof value === 'object' && value !== null ? value : {};
}

function standardOutput(): DestinationStream {
  if (!process.stdout.isTTY) return pino.destination({ fd: 1, sync: true });
  const pretty = createRequire(import.meta.url)('pino-pretty') as (options: object) => DestinationStream;
  return pretty({ sync: true, ignore: 'pid,hostname,service,instanceId', translateTime: 'HH:MM:ss.l' });
}
