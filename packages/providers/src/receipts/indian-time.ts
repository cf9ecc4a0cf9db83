/**
 * `2024-05-22 10:06:20` as MSG91 and Exotel write it: in India, which knows one time all year.
 *
 * @returns epoch milliseconds; undefined for any other text
 */
export function readIndianTime(text: string | null | undefined): number | undefined {
  if (!text || !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return undefined;
  const atMs = Date.parse(`${text.replace(' ', 'T')}+05:30`);
  return Number.isNaN(atMs) ? undefined : atMs;
}
