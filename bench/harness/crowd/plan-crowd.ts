/** Sockets of one generator process: to which server, and as whom. */
export interface GeneratorPlan {
  /** By server, the trips whose phones and whose riders connect to it from here; ascending. */
  readonly servers: readonly { readonly phones: readonly number[]; readonly riders: readonly number[] }[];
}

export interface CrowdPlan {
  readonly servers: number;
  readonly generators: readonly GeneratorPlan[];
}

/** What a process has open besides its sockets: modules, pipes, Redis, logs. */
const reservedFiles = 1_000;
/** More would make one event loop the bottleneck of what is measured, however many files it may open. */
const maxSocketsPerServer = 17_000;
const maxSocketsPerGenerator = 19_000;
/** One that reads while the other sends. */
const leastGenerators = 2;
const maxGenerators = 250;
const maxSourcesPerGenerator = 250;

/**
 * Spreads trips, a phone and a rider each, over as many servers and generator processes as the limit of open files asks for. Neighbours
 * go to different processes, so that at every moment all of them send; a rider never shares the server of the phone, where there are
 * several.
 *
 * @param input.filesLimit how many files a process may have open
 * @throws RangeError where a limit is too low to begin with
 */
export function planCrowd({ trips, filesLimit }: { trips: number; filesLimit: number }): CrowdPlan {
  const perProcess = filesLimit - reservedFiles;
  if (perProcess < 1) throw new RangeError(`a process may open ${filesLimit} files: raise the limit (ulimit -n)`);
  const processesFor = (most: number) => Math.ceil((2 * trips) / Math.min(most, perProcess));
  const servers = processesFor(maxSocketsPerServer);
  const generators = Math.max(leastGenerators, processesFor(maxSocketsPerGenerator));
  if (generators > maxGenerators) throw new RangeError(`${generators} generator processes are too many for a machine`);

  const plans = Array.from({ length: generators }, () => ({
    servers: Array.from({ length: servers }, () => ({ phones: [] as number[], riders: [] as number[] })),
  }));
  for (let trip = 0; trip < trips; trip += 1) {
    plans[trip % generators]?.servers[trip % servers]?.phones.push(trip);
    plans[(trip + 1) % generators]?.servers[(trip + 1) % servers]?.riders.push(trip);
  }
  return { servers, generators: plans };
}

/**
 * An address of its own in 127.0.0.0/8 for each part of a generator's sockets. One has some 28,000 ports, but looking for a free one takes the
 * kernel 2 ms a socket from 5,000 on: it tries every second port of the lower half first, in a row.
 */
export function sourceAddress({ generator, part }: { generator: number; part: number }): string {
  if (part >= maxSourcesPerGenerator) throw new RangeError(`generator ${generator} has no address for part ${part}`);
  return `127.0.${1 + generator}.${1 + part}`;
}

export const socketsOf = ({ servers }: GeneratorPlan): number =>
  servers.reduce((sum, { phones, riders }) => sum + phones.length + riders.length, 0);
