import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisClient } from './client.ts';

export type ScriptArgument = string | Buffer | number;

/** Call a script: `script(keys, args)` decodes replies as UTF-8, `script.buffer(keys, args)` leaves them as Buffers. */
export interface RedisScript {
  (keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown>;
  buffer(keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown>;
}

/**
 * Text of a script that stands beside the module: `loadScript(import.meta.url, './write-batch.lua')`.
 *
 * Scripts are not compiled, so from `dist` it reads the one in `src`.
 */
export function loadScript(moduleUrl: string, path: `./${string}.lua`): string {
  const source = new URL(path, moduleUrl);
  source.pathname = source.pathname.replace(/\/dist\/(?!.*\/dist\/)/, '/src/');
  return readFileSync(source, 'utf8');
}

/**
 * Bind a Lua script to a connection.
 *
 * All keys of one call must lie in one slot. Calls of one tick go out in one write (see batch-writes.ts) and arrive in the order
 * they were made. Arguments may be Buffers and stay byte for byte what they are.
 *
 * @throws (from a call) the connection's error; see unavailable.ts. Nothing is retried but a script that the server has forgotten.
 * Cost: one EVALSHA; a second round trip with the text the first time, and after SCRIPT FLUSH, a restart or a failover.
 */
export function defineScript(
  redis: RedisClient,
  { name, lua, numberOfKeys }: { name: string; lua: string; numberOfKeys: number },
): RedisScript {
  const sha = createHash('sha1').update(lua).digest('hex');

  const call = async (keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> => {
    checkKeys(keys);
    try {
      return await redis.call('evalsha', sha, numberOfKeys, ...keys, ...args);
    } catch (error) {
      if (!isForgotten(error)) throw error;
      return redis.call('eval', lua, numberOfKeys, ...keys, ...args);
    }
  };

  const buffer = async (keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> => {
    checkKeys(keys);
    try {
      return await redis.callBuffer('evalsha', sha, numberOfKeys, ...keys, ...args);
    } catch (error) {
      if (!isForgotten(error)) throw error;
      return redis.callBuffer('eval', lua, numberOfKeys, ...keys, ...args);
    }
  };

  // A miscounted key silently becomes the first argument.
  function checkKeys(keys: readonly string[]): void {
    if (keys.length !== numberOfKeys) throw new Error(`Script ${name} takes ${numberOfKeys} keys, got ${keys.length}`);
  }

  return Object.assign(call, { buffer });
}

function isForgotten(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
