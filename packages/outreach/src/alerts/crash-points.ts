import type { CrashAt } from '@hushryd/platform/lifecycle/crash-points';

/** Every place on the way in at which the crash tests end the process; they go through this list. */
export const acceptCrashPoints = [
  'before_persist',
  'after_journal',
  'after_persist',
  'after_intake',
  'after_announce',
  'before_replay',
  'after_replay',
  'before_settle',
] as const;

/** The same on the way out, in whichever process sends. */
export const dispatchCrashPoints = [
  'after_claim',
  'before_send',
  'after_send',
  'before_outcome',
  'after_outcome',
] as const;

export const alertCrashPoints = [...acceptCrashPoints, ...dispatchCrashPoints] as const;

export type AlertCrashPoint = (typeof alertCrashPoints)[number];
export type CrashAlert = CrashAt<AlertCrashPoint>;
