import { serveCommands } from '../processes/serve-commands.ts';
import { createDrivers, type OpenDriversInput } from './drivers.ts';
import type { FixSchedule } from './fix-schedule.ts';
import { createListeners, type OpenListenersInput } from './listeners.ts';
import { createReadableCheck } from './readable.ts';
import { createReturningClients, type OpenReturningInput } from './returning-clients.ts';

const listeners = createListeners();
const returning = createReturningClients();
let readable: ReturnType<typeof createReadableCheck> | undefined;
const drivers = createDrivers({ onAcknowledged: (driver, seq) => void readable?.check(driver, seq) });

const commands = {
  openListeners: (input: OpenListenersInput) => listeners.open(input),
  listenerCounts: () => listeners.counts(),
  watchLatencies: (schedule: FixSchedule) => listeners.watch(schedule),
  heardLatencies: () => listeners.heardLatencies(),
  stallListeners: () => listeners.stall(),

  openReturning: (input: OpenReturningInput) => returning.open(input),
  returns: () => returning.returns(),

  openDrivers: (input: OpenDriversInput) => drivers.open(input),
  startSaturating: () => drivers.startSaturating(),
  stopSaturating: () => drivers.stopSaturating(),
  startSchedule: (schedule: FixSchedule) => drivers.startSchedule(schedule),
  nextSeq: () => drivers.nextSeq(),
  driverCounts: () => drivers.counts(),

  checkReadable: (input: { apiPort: number; paths: readonly string[]; tokens: readonly string[] }) => {
    readable = createReadableCheck(input);
    drivers.reportAcknowledged(true);
  },
  takeReadable: () => readable?.take(),
};

export type LoadCommands = typeof commands;

serveCommands(commands);
