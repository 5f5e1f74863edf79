/** Where two JSON values differ, by path: `checks.OSD_DOWN.summary.count`, `[3].name`. */

export interface Difference {
  readonly path: string;
  readonly real: unknown;
  readonly ours: unknown;
}

export function differences(real: unknown, ours: unknown, path = ''): Difference[] {
  if (!isObject(real) || !isObject(ours) || Array.isArray(real) !== Array.isArray(ours)) {
    return Object.is(real, ours) ? [] : [{ path, real, ours }];
  }
  const names = new Set([...Object.keys(real), ...Object.keys(ours)]);
  const order =
    Object.keys(real).join() === Object.keys(ours).join() ? [] : orderDifference(real, ours, path);
  return [
    ...order,
    ...[...names].flatMap((name) => {
      const inner = Array.isArray(real) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`;
      return differences(real[name], ours[name], inner);
    }),
  ];
}

/** Programs that read by place, and people, see the order too; one that is missing shows by itself. */
function orderDifference(
  real: Record<string, unknown>,
  ours: Record<string, unknown>,
  path: string,
): Difference[] {
  const common = (names: string[], other: object): string => names.filter((name) => name in other).join(' ');
  const [one, other] = [common(Object.keys(real), ours), common(Object.keys(ours), real)];
  return one === other ? [] : [{ path: `${path} (order)`, real: one, ours: other }];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
