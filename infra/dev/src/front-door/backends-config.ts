/** Ports on 127.0.0.1 of what stands behind a front door. */
export interface BackendPorts {
  readonly apis: readonly number[];
  readonly realtimes: readonly number[];
  readonly consoles?: readonly number[];
}

/**
 * The second file of a front door, where servers have fixed addresses: the same backends as `infra/deploy/haproxy/backends.cfg`, with
 * one line a server. Names count from 1. Pure.
 */
export function backendsConfig({ apis, realtimes, consoles = [] }: BackendPorts): string {
  return [
    backend({ name: 'api', from: 'api-nodes', ports: apis }),
    backend({ name: 'api-unready', server: 'api', from: 'unready-api-nodes', ports: apis }),
    backend({ name: 'realtime', from: 'realtime-nodes', ports: realtimes }),
    backend({ name: 'console', from: 'console-nodes', ports: consoles, lines: [consoleHost(consoles)] }),
  ].join('\n');
}

function backend(input: {
  name: string;
  /** What its servers are called, where not as it is. */
  server?: string;
  from: string;
  ports: readonly number[];
  lines?: readonly string[];
}): string {
  const { name, server = name, from, ports, lines = [] } = input;
  const servers = ports.map((port, index) => `server ${server}${index + 1} 127.0.0.1:${port}`);
  return [
    `backend ${name} from ${from}`,
    ...[...lines, ...servers].filter(Boolean).map((line) => `    ${line}`),
    '',
  ].join('\n');
}

/** The development console answers to its own name alone, as a guard against pages of other sites. */
function consoleHost([port]: readonly number[]): string {
  return port === undefined ? '' : `http-request set-header host 127.0.0.1:${port}`;
}
