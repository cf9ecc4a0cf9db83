/**
 * All that a job holds: which record in MongoDB is to be looked at. A job is a hint; the record says whether anything is left to do, so
 * jobs may be lost, doubled or late without harm, and hold nothing that anybody may not read.
 */
export interface JobReference {
  /** Of the record: `A–Z a–z 0–9 _ -`. */
  readonly recordId: string;
  /** How often the record was taken up: one job a record and step, however often it is added. */
  readonly step: number;
  readonly correlationId?: string | undefined;
}

/** BullMQ forbids `:` in it. */
export const jobIdOf = ({ recordId, step }: JobReference): string => `${recordId}-${step}`;
