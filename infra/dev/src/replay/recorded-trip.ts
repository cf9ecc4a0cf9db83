/** One recorded point of a trip. WGS 84 degrees; `offsetMs` counts from the trip's start and never falls. */
export interface RecordedFix {
  readonly lat: number;
  readonly lng: number;
  readonly offsetMs: number;
}

/** A trip as it stands in a file. */
export interface RecordedTrip {
  readonly tripId: string;
  readonly driverId: string;
  /** Epoch milliseconds. Only the order of one driver's trips is taken from it. */
  readonly startedAtMs: number;
  readonly fixes: readonly RecordedFix[];
}
