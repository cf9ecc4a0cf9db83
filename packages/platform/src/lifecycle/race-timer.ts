/**
 * What `work` comes to, or, once `limitMs` have passed without, what `onLate` returns or throws. The work itself goes on unheard; a late
 * failure of it is nobody's unhandled rejection. The timer ends with the race.
 */
export async function raceTimer<Result, Late>(
  work: Promise<Result>,
  limitMs: number,
  onLate: () => Late,
): Promise<Result | Late> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, limitMs, 'late');
  });
  try {
    const outcome = await Promise.race([work.then((result) => ({ result })), late]);
    return outcome === 'late' ? onLate() : outcome.result;
  } finally {
    clearTimeout(timer);
  }
}
