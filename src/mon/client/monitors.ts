/**
 * The monitors that a client may turn to, and in which order it does.
 *
 * They are those of the monitor map; before there is one, and again when none of the map's answers, those
 * of `mon_host`. One pass over all of them is a sweep, made in batches: first the monitors that have not
 * lost us a session lately, among them those of the lowest priority, among them at random by weight.
 */
import type { MonMap } from '../../maps/mon-map.ts';
import { fraction, type RandomSource } from '../../messenger/random.ts';
import type { EntityAddr } from '../../wire/entity-addr.ts';
import { EntityAddrVec } from '../../wire/entity-addrvec.ts';

/** A monitor as its map has it. */
export interface Monitor {
  /** `a`; empty for an address of `mon_host` that no map names. */
  readonly name: string;
  /** -1 when no map names it. */
  readonly rank: number;
  readonly addrs: EntityAddrVec;
  /** The one of `addrs` that is dialled. */
  readonly target: EntityAddr;
  /** Lower is tried first. */
  readonly priority: number;
  /** Chance within its priority; all 0: equal chances. */
  readonly weight: number;
}

/** `mon.a at v2:…`, or the address alone. */
export function monitorText({ name, target }: Monitor): string {
  return name === '' ? String(target) : `mon.${name} at ${target}`;
}

export class Monitors {
  #map: MonMap | undefined;
  #ofMap: readonly Monitor[] = [];
  #seeds: readonly Monitor[] = [];
  readonly #tried = new Set<string>();
  /** How many sessions a monitor has lost us; by the key of its address. */
  readonly #losses = new Map<string, number>();

  get map(): MonMap | undefined {
    return this.#map;
  }

  setMap(map: MonMap): void {
    this.#map = map;
    this.#ofMap = monitorsOf(map);
    this.#tried.clear();
  }

  setSeeds(addrs: readonly EntityAddr[]): void {
    this.#seeds = addrs.map((target) => ({
      name: '',
      rank: -1,
      addrs: EntityAddrVec.of(target),
      target,
      priority: 0,
      weight: 0,
    }));
  }

  /** Those of the map that speak msgr2, in the order of their ranks. */
  get ofMap(): readonly Monitor[] {
    return this.#ofMap;
  }

  find(target: EntityAddr): Monitor | undefined {
    return this.#ofMap.find((monitor) => monitor.addrs.contains(target));
  }

  /** The session with this monitor ended: it is asked after the others, until {@link forgive}. */
  blame(monitor: Monitor): void {
    const { key } = monitor.target;
    this.#losses.set(key, (this.#losses.get(key) ?? 0) + 1);
  }

  forgive(): void {
    this.#losses.clear();
  }

  startSweep(): void {
    this.#tried.clear();
  }

  /** The next monitors of this sweep, no more than `countMax` (0: no limit); none when it is over. */
  nextBatch(countMax: number, random: RandomSource): Monitor[] {
    const left = this.#left();
    const order = (monitor: Monitor): number =>
      (this.#losses.get(monitor.target.key) ?? 0) * 0x10000 + monitor.priority;
    const first = Math.min(...left.map(order));
    const candidates = shuffle(
      left.filter((monitor) => order(monitor) === first),
      random,
    );
    const batch = candidates.slice(0, countMax === 0 ? undefined : countMax);
    for (const { target } of batch) this.#tried.add(target.key);
    return batch;
  }

  /** Whether {@link nextBatch} has more in this sweep. */
  get hasMore(): boolean {
    return this.#left().length > 0;
  }

  /** The map's own monitors before any other place. */
  #left(): Monitor[] {
    const isLeft = ({ target }: Monitor): boolean => !this.#tried.has(target.key);
    const ofMap = this.#ofMap.filter(isLeft);
    if (ofMap.length > 0) return ofMap;
    return this.#seeds.filter((seed) => isLeft(seed) && this.find(seed.target) === undefined);
  }
}

function monitorsOf(map: MonMap): Monitor[] {
  return map.ranks.flatMap((name, rank) => {
    const info = map.monitors.get(name);
    const target = info?.publicAddrs.v2();
    if (info === undefined || target === undefined || target.isBlankIp || target.port === 0) return [];
    const { publicAddrs: addrs, priority, weight } = info;
    return [{ name, rank, addrs, target, priority, weight }];
  });
}

/** Draws all, one after the other, each with the chance of its weight among those left. */
function shuffle(monitors: readonly Monitor[], random: RandomSource): Monitor[] {
  const left = [...monitors];
  const drawn: Monitor[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    let at = Math.floor(fraction(random) * left.length);
    if (total > 0) {
      let rest = fraction(random) * total;
      at = left.findIndex(({ weight }) => {
        rest -= weight;
        return rest < 0;
      });
    }
    drawn.push(...left.splice(Math.max(0, at), 1));
  }
  return drawn;
}
