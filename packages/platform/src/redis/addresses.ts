import { ConfigError } from '../config/config-error.ts';

export interface RedisAddress {
  host: string;
  port: number;
  username?: string;
  password?: string;
  db?: number;
  tls?: Record<string, never>;
}

/**
 * The servers that a Redis address names: one, or several as a comma list (`redis://a:7000,b:7001`) for a cluster.
 *
 * @throws ConfigError; the message never shows the address, which may hold a password
 */
export function parseRedisAddresses(text: string): [RedisAddress, ...RedisAddress[]] {
  const [first, ...rest] = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (first === undefined) throw new ConfigError('The Redis address is empty: set REDIS_URL to redis://host:port.');
  const leader = parseAddress(first);
  const scheme = leader.tls === undefined ? 'redis://' : 'rediss://';
  return [leader, ...rest.map((part) => parseAddress(part.includes('://') ? part : `${scheme}${part}`))];
}

/** `host:port` of sentinels, as the connection wants them. */
export function parseHostAndPort(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

function parseAddress(text: string): RedisAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new ConfigError('A Redis address is not a URL: set it to redis://host:port.', { cause });
  }
  const database = url.pathname.replace(/^\//, '');
  if (database !== '' && !/^\d{1,4}$/.test(database)) {
    throw new ConfigError(
      'A Redis address ends in something that is no database number: set it to redis://host:port/0.',
    );
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1',
    port: url.port === '' ? 6379 : Number(url.port),
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(database !== '' && { db: Number(database) }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
}
