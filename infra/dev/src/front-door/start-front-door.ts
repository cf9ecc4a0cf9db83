import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isListening } from '@hushryd/platform/engines/ports';
import { spawnGuarded } from '@hushryd/platform/engines/spawn-guarded';
import { type AdminSocket, createAdminSocket } from './admin-socket.ts';
import { type BackendPorts, backendsConfig } from './backends-config.ts';

export interface FrontDoor {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  readonly pid: number;
  readonly admin: AdminSocket;
  /** Settles when it has ended, whoever ended it. */
  readonly ended: Promise<unknown>;
  /** Ends it at once, with every connection through it. */
  stop(): Promise<void>;
}

export interface FrontDoorOptions {
  /** Path of haproxy. */
  readonly program: string;
  /** The folder `infra/deploy/haproxy`. */
  readonly configDir: string;
  readonly logFile: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly backends: BackendPorts;
  /** Connections from one address; not limited unless given, since on this machine everybody has the same. */
  readonly maxConnectionsPerAddress?: number;
  /** Changes the text of the second file: for controls that break it. */
  readonly edit?: (config: string) => string;
}

const readyWithinMs = 20_000;
const unlimited = 1_000_000;
const pollMs = 50;

/**
 * Start HAProxy with the configuration that production has, before servers on this machine. It ends with this process, however
 * that ends.
 *
 * @throws Error naming the log file where it ends or stays deaf
 */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const {
    program,
    configDir,
    logFile,
    port,
    metricsPort,
    backends,
    maxConnectionsPerAddress,
    edit = (config) => config,
  } = options;
  // Not in the data folder: the path of a socket may have 107 characters.
  const folder = await mkdtemp(join(tmpdir(), 'hushryd-door-'));
  const [backendsFile, socketFile] = [join(folder, 'backends.cfg'), join(folder, 'admin.sock')];
  await writeFile(backendsFile, edit(backendsConfig(backends)));

  const { child, pid, ended } = spawnGuarded({
    argv: [program, '-db', '-f', join(configDir, 'haproxy.cfg'), '-f', backendsFile],
    cwd: folder,
    logFile,
    env: {
      ...process.env,
      FRONT_DOOR_BIND: `127.0.0.1:${port}`,
      FRONT_DOOR_METRICS_BIND: `127.0.0.1:${metricsPort}`,
      FRONT_DOOR_SOCKET: socketFile,
      FRONT_DOOR_MAXCONN_PER_ADDRESS: String(maxConnectionsPerAddress ?? unlimited),
      // The development console answers to its own name alone.
      CONSOLE_HOST: `127.0.0.1:${backends.consoles?.[0] ?? port}`,
    },
  });
  const gone = ended.then(
    () => rm(folder, { recursive: true, force: true }),
    () => rm(folder, { recursive: true, force: true }),
  );
  const door: FrontDoor = {
    url: `http://127.0.0.1:${port}`,
    pid,
    admin: createAdminSocket(socketFile),
    ended: gone,
    async stop() {
      child.ref();
      child.kill('SIGTERM');
      await gone;
    },
  };

  const deadlineMs = performance.now() + readyWithinMs;
  while (!(await isListening(port))) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (hasEnded || performance.now() > deadlineMs) {
      await door.stop();
      throw new Error(`The front door did not start: ${logFile} says why.`);
    }
    await sleep(pollMs);
  }
  return door;
}
