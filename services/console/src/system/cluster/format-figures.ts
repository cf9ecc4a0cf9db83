const countFormat = new Intl.NumberFormat('en');
const mebibyte = 1024 * 1024;

/** `12,345`. */
export const formatCount = (count: number): string => countFormat.format(count);

/** `84 MiB`, `1.4 GiB`. */
export function formatBytes(bytes: number): string {
  const mebibytes = bytes / mebibyte;
  return mebibytes < 1000 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}
