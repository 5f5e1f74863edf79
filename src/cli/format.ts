/** Figures and tables as people read them. */

const sizeNames = [
  [1024 * 1024, 'MiB'],
  [1024, 'KiB'],
] as const;

/** `64 B`, `4 KiB`, `1 MiB`; a size that is no whole number of a unit stays in bytes. */
export function formatSize(bytes: number): string {
  for (const [unit, name] of sizeNames)
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit} ${name}`;
  return `${bytes} B`;
}

/** Three digits that mean something: `12.4 M`, `683 k`, `950`. */
export function formatCount(value: number): string {
  if (value >= 999_500) return `${threeDigits(value / 1e6)} M`;
  if (value >= 9_995) return `${threeDigits(value / 1e3)} k`;
  return threeDigits(value);
}

/** `1.23`, `12.3`, `123`, `1234`. */
export function threeDigits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

/** Milliseconds with the digits of ping(8): three after the point. */
export function formatMs(milliseconds: number): string {
  return milliseconds.toFixed(3);
}

/**
 * Columns side by side, two spaces apart: the first to the left, the others to the right. The first row
 * is the head.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      widths
        .map((width, column) => {
          const cell = row[column] ?? '';
          return column === 0 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
