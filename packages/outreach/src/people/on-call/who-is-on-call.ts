import type { Shift } from '@hushryd/contracts/http/on-call';
import type { Rota } from './on-call-document.ts';

/** Who is called on one level, in this order; nobody where it has a gap. */
export interface OnCallNow {
  level: number;
  personIds: string[];
}

/**
 * Who is on call at a moment, level by level. Pure.
 *
 * Shifts go by the clock on the wall where the rota is kept: in the night in which the clocks go back the hour that comes twice belongs to
 * its shift both times, and the hour that is left out to nobody. An override replaces the shifts of its level; of two, the one added last.
 */
export function whoIsOnCall({ timeZone, levels, overrides }: Rota, atMs: number): OnCallNow[] {
  const time = wallTime(timeZone, atMs);
  return levels.map(({ shifts }, level) => {
    const override = overrides.findLast(
      (one) => one.level === level && Date.parse(one.from) <= atMs && atMs < Date.parse(one.until),
    );
    const personIds = override?.personIds ?? shifts.filter((shift) => covers(shift, time)).flatMap((s) => s.personIds);
    return { level, personIds: [...new Set(personIds)] };
  });
}

/** Whether the name is one that this machine knows the clocks of. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false; // RangeError: no such zone.
  }
}

interface WallTime {
  /** 1 is Monday. */
  weekday: number;
  minutes: number;
}

function covers({ days, from, until }: Shift, { weekday, minutes }: WallTime): boolean {
  const [start, end] = [toMinutes(from), toMinutes(until)];
  const isToday = days.includes(weekday);
  if (end > start) return isToday && start <= minutes && minutes < end;
  const wasYesterday = days.includes(weekday === 1 ? 7 : weekday - 1);
  return (isToday && minutes >= start) || (wasYesterday && minutes < end);
}

function toMinutes(timeOfDay: string): number {
  const [hours = 0, minutes = 0] = timeOfDay.split(':').map(Number);
  return hours * 60 + minutes;
}

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function wallTime(timeZone: string, atMs: number): WallTime {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  );
  return {
    weekday: weekdays.indexOf(parts.weekday ?? '') + 1,
    minutes: Number(parts.hour) * 60 + Number(parts.minute),
  };
}

// Making one takes longer than asking it ten thousand times.
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    const fields = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    format = new Intl.DateTimeFormat('en-GB', { timeZone, ...fields });
    formats.set(timeZone, format);
  }
  return format;
}
