/** Age in words, short enough for a table: `now`, `12 s`, `3 min`, `2 h 5 min`, `4 d`. */
export function formatAge(ageMs: number): string {
  const seconds = Math.max(0, Math.round(ageMs / 1000));
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

/** As a sentence's end: `now`, `12 s ago`. */
export const formatAgo = (ageMs: number): string => {
  const age = formatAge(ageMs);
  return age === 'now' ? age : `${age} ago`;
};

/** Length of time as on a stopwatch: `4:05`, `1:02:09`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const dayFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const absoluteFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long', hourCycle: 'h23' });
const zoneFormat = new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' });

export const formatClock = (epochMs: number): string => clockFormat.format(epochMs);

/** Day only where it is not today's: `14:03:22` or `3 Mar, 14:03:22`. */
export function formatMoment(epochMs: number, nowMs: number): string {
  const isToday = new Date(epochMs).toDateString() === new Date(nowMs).toDateString();
  return isToday ? formatClock(epochMs) : `${dayFormat.format(epochMs)}, ${formatClock(epochMs)}`;
}

/** In full, for tooltips. */
export const formatAbsolute = (epochMs: number): string => absoluteFormat.format(epochMs);

/** The operator's zone as printed beside the clock, such as `CET` or `GMT+5:30`. */
export function zoneName(epochMs: number): string {
  return zoneFormat.formatToParts(epochMs).find((part) => part.type === 'timeZoneName')?.value ?? 'UTC';
}
