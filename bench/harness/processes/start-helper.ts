import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Scope } from '../scope.ts';
import type { CommandMessage, Commands, HelperMessage } from './serve-commands.ts';

/** A process of our own that does something beside the measurement: makes load, or is the baseline. */
export interface HelperProcess<Served extends Commands> {
  readonly pid: number;
  /** @throws Error with the helper's message, or when it has ended */
  call<Name extends keyof Served & string>(
    name: Name,
    ...input: Parameters<Served[Name]>
  ): Promise<Awaited<ReturnType<Served[Name]>>>;
}

/**
 * Starts a module that calls `serveCommands`, and waits until it does. It ends with the scope, and with this process.
 *
 * @param input.module without its extension, as an URL relative to the caller: `new URL('./load-process', import.meta.url)`
 */
export async function startHelper<Served extends Commands>(
  scope: Scope,
  input: { module: URL; args?: readonly string[]; execArgv?: readonly string[] },
): Promise<HelperProcess<Served>> {
  // From sources under tsx as from dist: whatever this file is, the helper is too.
  const file = fileURLToPath(input.module) + extname(fileURLToPath(import.meta.url));
  const child = fork(file, [...(input.args ?? [])], {
    serialization: 'advanced',
    execArgv: [...process.execArgv, ...(input.execArgv ?? [])],
  });
  scope.teardown(() => end(child));

  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let isEnded = false;
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message: HelperMessage) => {
      if (message.kind === 'ready') return resolve();
      const call = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.kind === 'result') call?.resolve(message.result);
      else call?.reject(new Error(message.message));
    });
    child.once('exit', (code, signal) => {
      isEnded = true;
      const gone = new Error(`a helper process ended with ${signal ?? `code ${code}`}: ${file}`);
      reject(gone);
      for (const call of waiting.values()) call.reject(gone);
    });
  });

  let lastId = 0;
  return {
    pid: child.pid ?? -1,
    call(name, ...[command]) {
      return new Promise((resolve, reject) => {
        if (isEnded) return reject(new Error(`a helper process is gone: ${file}`));
        lastId += 1;
        waiting.set(lastId, { resolve: resolve as (value: unknown) => void, reject });
        child.send({ id: lastId, name, input: command } satisfies CommandMessage);
      });
    },
  };
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
