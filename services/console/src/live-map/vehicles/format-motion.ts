const unknown = '–';
const winds = ['N', 'NE', 'E', 'SE', 'S', 'SW', 'W', 'NW'] as const;

export const formatSpeed = (speedMps: number | undefined): string =>
  speedMps === undefined ? unknown : `${Math.round(speedMps * 3.6)} km/h`;

export const formatAccuracy = (meters: number | undefined): string =>
  meters === undefined ? unknown : `± ${meters < 10 ? meters.toFixed(1) : Math.round(meters)} m`;

export const formatBattery = (percent: number | undefined): string =>
  percent === undefined ? unknown : `${Math.round(percent)} %`;

/** `NE 47°` */
export function formatHeading(degrees: number | undefined): string {
  if (degrees === undefined) return unknown;
  const wind = winds[Math.round(degrees / 45) % 8] ?? 'N';
  return `${wind} ${Math.round(degrees) % 360}°`;
}

/** Five decimals: a metre, which is more than a phone knows. */
export const formatCoordinates = (lat: number, lng: number): string => `${lat.toFixed(5)}, ${lng.toFixed(5)}`;

export const formatDistance = (meters: number): string =>
  meters < 1000 ? `${Math.round(meters)} m` : `${(meters / 1000).toFixed(meters < 100_000 ? 1 : 0)} km`;
