/** Pieces of text as Ceph prints them. */

/** A length of time in the largest unit that says enough: `119s`, `2m`, `47h`, `3w`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 2) return `${Number((ms / 1000).toPrecision(6))}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 2) return `${seconds}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 2) return `${minutes}m`;
  const days = Math.floor(hours / 24);
  if (days < 2) return `${hours}h`;
  const weeks = Math.floor(days / 7);
  if (weeks < 2) return `${days}d`;
  const months = Math.floor(days / 30);
  if (months < 2) return `${weeks}w`;
  const years = Math.floor(days / 365);
  return years < 2 ? `${months}M` : `${years}y`;
}

export interface TableColumn {
  readonly heading: string;
  readonly align?: 'left' | 'right' | 'center';
  /** As the cells are when absent. */
  readonly headingAlign?: 'left' | 'right';
}

/** Two spaces between columns, as wide as their widest cell. */
export function table(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ heading }, index) =>
    Math.max(heading.length, ...rows.map((row) => row[index]!.length)),
  );
  const pad = (text: string, index: number, align: TableColumn['align']): string => {
    const width = widths[index]!;
    return align === 'right' ? text.padStart(width) : text.padEnd(width);
  };
  const lines = [
    columns.map(({ heading, align, headingAlign = align }, index) => pad(heading, index, headingAlign)),
    ...rows.map((row) => row.map((cell, index) => pad(cell, index, columns[index]!.align))),
  ];
  return lines.map((cells) => cells.join('  ')).join('\n');
}

/** Counts by value: `{"x86_64": 2}`, in order. */
export function counts(values: Iterable<string>): Record<string, number> {
  const counted = new Map<string, number>();
  for (const value of values) counted.set(value, (counted.get(value) ?? 0) + 1);
  return Object.fromEntries([...counted].sort(([one], [other]) => (one < other ? -1 : 1)));
}
