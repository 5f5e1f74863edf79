/** Named counters in groups, as Ceph's daemons have them: `perf dump` shows the values, `perf schema` what they are. */

export interface PerfCounterSchema {
  readonly kind: 'counter' | 'gauge';
  readonly description: string;
}

export type PerfDump = Readonly<Record<string, Readonly<Record<string, number>>>>;
export type PerfSchema = Readonly<Record<string, Readonly<Record<string, PerfCounterSchema>>>>;

/** One group; its counters are all named when it is made. */
export class PerfCounters<Name extends string> {
  readonly schema: Readonly<Record<Name, PerfCounterSchema>>;
  readonly #values: Record<Name, number>;

  constructor(schema: Readonly<Record<Name, PerfCounterSchema>>) {
    this.schema = schema;
    this.#values = Object.fromEntries(Object.keys(schema).map((name) => [name, 0])) as Record<Name, number>;
  }

  add(name: Name, amount = 1): void {
    this.#values[name] += amount;
  }

  set(name: Name, value: number): void {
    this.#values[name] = value;
  }

  get(name: Name): number {
    return this.#values[name];
  }

  dump(): Readonly<Record<Name, number>> {
    return { ...this.#values };
  }
}

const counter = (description: string): PerfCounterSchema => ({ kind: 'counter', description });
const gauge = (description: string): PerfCounterSchema => ({ kind: 'gauge', description });

/** The group `osd`: those names of Ceph's that mean something without objects, and what was let go. */
export const osdPerfSchema = {
  map_messages: counter('OSD map messages'),
  map_message_epochs: counter('OSD map epochs'),
  map_message_epoch_dups: counter('OSD map duplicates'),
  map_shares: counter('OSD maps sent to peers that were behind'),
  heartbeat_to_peers: gauge('OSDs that are pinged'),
  numpg: gauge('Placement groups; this OSD holds none'),
  boots: counter('Times that the monitor was asked to mark this OSD up'),
  wrongly_marked_down: counter('Times that it was marked down while it ran'),
  beacons: counter('Beacons sent to the monitors'),
  op_dropped: counter('Client operations dropped: their PG is not here'),
  peering_dropped: counter('Messages about placement groups that are not here'),
  commands: counter('Commands of ceph tell'),
} as const satisfies Record<string, PerfCounterSchema>;

export type OsdPerfCounters = PerfCounters<keyof typeof osdPerfSchema>;
