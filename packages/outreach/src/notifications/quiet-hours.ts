/** From and to as `HH:MM` of the person's day; from 22:00 to 07:00 is over midnight. The same at both ends is never. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
}

const dayMinutes = 24 * 60;

/**
 * When the quiet hours that are now will end, epoch milliseconds; undefined where there are none now.
 *
 * By the clocks of the person's place, also on days that have 23 or 25 hours.
 *
 * @param timeZone IANA name: `Asia/Kolkata`
 * @throws RangeError for a time zone that there is not
 */
export function quietUntilMs({
  quietHours,
  timeZone,
  nowMs,
}: {
  quietHours: QuietHours;
  timeZone: string;
  nowMs: number;
}): number | undefined {
  const from = toMinutes(quietHours.from);
  const to = toMinutes(quietHours.to);
  const now = minutesOfDay(nowMs, timeZone);
  const isQuiet = from <= to ? now >= from && now < to : now >= from || now < to;
  if (!isQuiet) return undefined;
  const leftMinutes = (to - now + dayMinutes) % dayMinutes;
  const untilMs = (Math.floor(nowMs / 60_000) + leftMinutes) * 60_000;
  // The clocks were changed in between: what they show then differs from what they were to show.
  const offMinutes = ((to - minutesOfDay(untilMs, timeZone) + dayMinutes * 1.5) % dayMinutes) - dayMinutes / 2;
  return untilMs + offMinutes * 60_000;
}

export function isTimeZone(name: string): boolean {
  try {
    minutesOfDay(0, name);
    return true;
  } catch {
    return false;
  }
}

function toMinutes(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

const formats = new Map<string, Intl.DateTimeFormat>();
/** More zones than there are names of. */
const maxFormats = 700;

function minutesOfDay(ms: number, timeZone: string): number {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  if (formats.size < maxFormats) formats.set(timeZone, format);
  return toMinutes(format.format(ms));
}
