import { serveCommands } from '../processes/serve-commands.ts';
import { createDrivers, type DriverSpec } from './drivers.ts';
import type { FixSchedule } from './fix-schedule.ts';
import { createListeners, type ListenerSpec } from './listeners.ts';
import { createReadableCheck } from './readable.ts';

const listeners = createListeners();
let readable: ReturnType<typeof createReadableCheck> | undefined;
const drivers = createDrivers({ onAcknowledged: (driver, seq) => void readable?.check(driver, seq) });

const commands = {
  openListeners: (input: { port: number; protocol: 'hushryd' | 'socket.io'; listeners: readonly ListenerSpec[] }) =>
    listeners.open(input),
  listenerCounts: () => listeners.counts(),
  watchLatencies: (schedule: FixSchedule) => listeners.watch(schedule),
  heardLatencies: () => listeners.heardLatencies(),

  openDrivers: (input: {
    port: number;
    drivers: readonly DriverSpec[];
    fixesPerFrame: number;
    framesInFlight: number;
  }) => drivers.open(input),
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
