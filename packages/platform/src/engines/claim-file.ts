import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAlive, processIdentity } from './process-identity.ts';

/** What stands in a claim: who made it, and (for an engine's folder) which engine runs on it. */
export interface ClaimRecord {
  readonly owner: string;
  readonly engine?: string;
}

export type Claim =
  | { readonly isMine: true }
  /** `isOwnerAlive` false: left over from a process that was killed. */
  | { readonly isMine: false; readonly record: ClaimRecord; readonly isOwnerAlive: boolean };

/** Claims a path for this process through a file that appears whole or not at all (link fails when it is there). */
export function tryClaim(path: string): Claim {
  const draft = draftOf(path, { owner: ownIdentity() });
  try {
    linkSync(draft, path);
    return { isMine: true };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const record = readClaim(path);
    // Gone between link and read: the other one just released it.
    if (!record) return tryClaim(path);
    return { isMine: false, record, isOwnerAlive: isAlive(record.owner) };
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Replaces the record of a claim that this process holds. */
export function updateClaim(path: string, addition: Omit<ClaimRecord, 'owner'>): void {
  renameSync(draftOf(path, { owner: ownIdentity(), ...addition }), path);
}

/** Gives a claim back. */
export function releaseClaim(path: string): void {
  rmSync(path, { force: true });
}

function readClaim(path: string): ClaimRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ClaimRecord;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function draftOf(path: string, record: ClaimRecord): string {
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  writeFileSync(draft, JSON.stringify(record));
  return draft;
}

function ownIdentity(): string {
  return processIdentity(process.pid) ?? String(process.pid);
}
