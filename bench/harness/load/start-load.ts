import { type HelperProcess, startHelper } from '../processes/start-helper.ts';
import type { Scope } from '../scope.ts';
import type { LoadCommands } from './load-process.ts';

export type LoadProcess = HelperProcess<LoadCommands>;

/** A process of the load generator. One holds fewer sockets than the 20,000 files that systems allow a process. */
export const startLoad = (scope: Scope): Promise<LoadProcess> =>
  startHelper<LoadCommands>(scope, { module: new URL('./load-process', import.meta.url) });
