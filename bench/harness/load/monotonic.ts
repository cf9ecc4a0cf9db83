/** The system's monotonic clock, the same in all processes, in milliseconds. */
const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const monotonicMs = (): number => performance.now() + offsetMs;
