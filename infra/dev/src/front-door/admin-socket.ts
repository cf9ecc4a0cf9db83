import { connect } from 'node:net';

const answerWithinMs = 5000;

/** Commands to a running HAProxy. */
export interface AdminSocket {
  /** One more server, which gets connections as soon as it is found ready. @throws Error with what HAProxy said */
  addServer(input: { backend: string; name: string; port: number }): Promise<void>;
  /** No new connections; those that it has stay. @throws Error with what HAProxy said */
  drainServer(input: { backend: string; name: string }): Promise<void>;
  /** Open connections by server name. */
  countConnections(backend: string): Promise<Record<string, number>>;
  /** `UP`, `DOWN`, `DRAIN` … by server name. */
  readStates(backend: string): Promise<Record<string, string>>;
}

/** @param path of the socket that haproxy.cfg names FRONT_DOOR_SOCKET */
export function createAdminSocket(path: string): AdminSocket {
  return {
    async addServer({ backend, name, port }) {
      const server = `${backend}/${name}`;
      // HAProxy gives servers that are added later none of their backend's `default-server`.
      const check = 'check inter 1s fastinter 500ms fall 3 rise 1';
      await expectSilence(`add server ${server} 127.0.0.1:${port} ${check}`, /New server registered/);
      await expectSilence(`enable health ${server}`);
      await expectSilence(`enable server ${server}`);
    },
    drainServer: ({ backend, name }) => expectSilence(`set server ${backend}/${name} state drain`),
    countConnections: async (backend) => pick(await readStats(backend), 'scur', Number),
    readStates: async (backend) => pick(await readStats(backend), 'status', String),
  };

  async function expectSilence(command: string, expected: RegExp = /^$/): Promise<void> {
    const answer = (await ask(path, command)).trim();
    if (!expected.test(answer)) throw new Error(`HAProxy answered to "${command}": ${answer}`);
  }

  async function readStats(backend: string): Promise<Record<string, string>[]> {
    const [header = '', ...rows] = (await ask(path, 'show stat')).trim().split('\n');
    const names = header.replace(/^# /, '').split(',');
    return rows
      .map((row) => Object.fromEntries(row.split(',').map((value, index) => [names[index] ?? '', value])))
      .filter(({ pxname, svname }) => pxname === backend && svname !== 'BACKEND' && svname !== 'FRONTEND');
  }
}

function pick<Value>(
  rows: readonly Record<string, string>[],
  column: string,
  convert: (text: string) => Value,
): Record<string, Value> {
  return Object.fromEntries(rows.map((row) => [row.svname ?? '', convert(row[column] ?? '')]));
}

function ask(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const parts: Buffer[] = [];
    socket.setTimeout(answerWithinMs, () => socket.destroy(new Error(`HAProxy does not answer to "${command}"`)));
    socket.once('connect', () => socket.end(`${command}\n`));
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.once('end', () => resolve(Buffer.concat(parts).toString()));
    socket.once('error', reject);
  });
}
