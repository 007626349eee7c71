const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Three digits and a unit: `950 bytes`, `1.25 MiB`, `12.3 GiB`, `640 GiB`. */
export function bytesText(bytes: number): string {
  let unit = 0;
  let scaled = bytes;
  // 1023.6 KiB would otherwise be shown as 1024.
  while (unit < units.length - 1 && scaled >= (unit === 0 ? 1024 : 1023.5)) {
    scaled /= 1024;
    unit++;
  }
  if (unit === 0) return `${Math.round(scaled)} bytes`;
  return `${scaled.toFixed(scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2)} ${units[unit] ?? ''}`;
}
