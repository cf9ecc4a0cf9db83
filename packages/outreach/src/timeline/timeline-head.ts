/** How far the chain of an alert goes. */
export interface TimelineHead {
  /** Of the newest sealed fact; 0 before the first. */
  seq: number;
  hash: string;
}
