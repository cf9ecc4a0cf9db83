/**
 * The system's monotonic clock in milliseconds, the same in all processes. Read from the clock each time: an offset between two clocks,
 * taken once, would be wrong by as long as the process did not run between the two looks.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
