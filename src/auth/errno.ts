/** Error numbers as they travel: those of Linux, negative on the wire. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  EACCES: 13,
  EBUSY: 16,
  EINVAL: 22,
  EFBIG: 27,
  EOPNOTSUPP: 95,
} as const;

/** `EACCES (13)`; `errno 77` for a number without a name here. The sign does not matter. */
export function errnoText(errno: number): string {
  const positive = Math.abs(errno);
  const name = Object.entries(Errno).find(([, value]) => value === positive)?.[0];
  return name === undefined ? `errno ${positive}` : `${name} (${positive})`;
}
