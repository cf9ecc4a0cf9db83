import type { Position } from '@hushryd/contracts/fix';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useBackend } from '../../data/backend.ts';

/** A pointer that only passes over asks nothing. */
const dwellMs = 200;

/**
 * A position with accuracy and battery. Where the live feed does not carry them they are asked for, at most every five seconds, and shown
 * only while they belong to the same run.
 */
export function useFullPosition(position: Position | undefined): Position | undefined {
  const { http } = useBackend();
  const driverId = position?.driverId;
  const isPartial =
    position !== undefined && position.accuracyMeters === undefined && position.batteryPercent === undefined;
  const hasDwelt = useDwell(driverId);
  const { data } = useQuery({
    queryKey: ['driver-location', driverId],
    queryFn: () => http.getDriverLocation(driverId ?? ''),
    enabled: isPartial && hasDwelt,
    refetchInterval: 5_000,
    retry: false,
  });
  const location = data?.location;
  if (!isPartial || !location || location.run !== position.run) return position;
  const { accuracyMeters, batteryPercent } = location;
  return {
    ...position,
    ...(accuracyMeters === undefined ? {} : { accuracyMeters }),
    ...(batteryPercent === undefined ? {} : { batteryPercent }),
  };
}

function useDwell(driverId: string | undefined): boolean {
  const [dwelt, setDwelt] = useState<string>();
  useEffect(() => {
    const timer = setTimeout(() => setDwelt(driverId), dwellMs);
    return () => clearTimeout(timer);
  }, [driverId]);
  return driverId !== undefined && dwelt === driverId;
}
