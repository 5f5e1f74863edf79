/**
 * The world of one seed: processes with real messengers on an in-memory network and a virtual clock.
 *
 *      rough   actions at random times: sends, crossed sends, resets, partitions, pauses, mark-downs, restarts,
 *              while the network does its worst
 *      calm    faults cease; time runs on until nothing moves, or a bound is met (a deadlock)
 *      probed  one message more over every session, which must arrive
 *      closed  everything shuts down, and nothing may be left
 *
 * Nothing in here depends on the host: every choice is the seed's, every time the clock's.
 */
import type { Connection } from '../../src/messenger/connection.ts';
import type { PeerConnection } from '../../src/messenger/peer-connection.ts';
import type { MemoryNetwork } from '../../src/transport/memory/memory-network.ts';
import type { Random } from '../../src/transport/memory/random.ts';
import type { EntityAddrVec } from '../../src/wire/entity-addrvec.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import type { WorldAuth } from './auth.ts';
import type { Hooks } from './hooks.ts';
import { Ledger, MessageKind } from './ledger.ts';
import type { Link } from './link.ts';
import { type Action, type ActionWeights, makeFaults, type Plan } from './plan.ts';
import { hostOf, Process, peerOf } from './process.ts';
import { sessionProblems } from './sessions.ts';
import { Code, type Trace } from './trace.ts';

/** Virtual time that a calm world may take to come to rest; backoffs and stale attempts add up. */
const calmMsMax = 1_200_000;
const calmStepMs = 250;
/** Events of one world; the busiest has some ten thousand. Beyond, something goes round in circles. */
const eventsMax = 5_000_000;
/** After the last socket was closed; word of it is a latency away, and a clogged path seconds. */
const afterShutdownMs = 60_000;

export class World {
  readonly plan: Plan;
  readonly random: Random;
  readonly network: MemoryNetwork;
  readonly ledger = new Ledger();
  readonly trace: Trace;
  readonly hooks: Hooks;
  readonly auth: WorldAuth;
  /** No more faults from here on. */
  isCalm = false;
  readonly #processes: Process[] = [];
  readonly #partitions: [from: string, to: string][] = [];
  readonly #violations: string[] = [];
  /** How often one of a pair of entities gave up what it knew of a session with the other. */
  readonly #forgettings = new Map<string, number>();
  /** Sessions that an acceptor answered, less those that their connector heard of. */
  readonly #unheard = new Map<string, number>();
  #links = 0;

  constructor(
    plan: Plan,
    random: Random,
    network: MemoryNetwork,
    trace: Trace,
    hooks: Hooks,
    auth: WorldAuth,
  ) {
    this.plan = plan;
    this.random = random;
    this.network = network;
    this.trace = trace;
    this.hooks = hooks;
    this.auth = auth;
  }

  get violations(): string[] {
    return [...this.ledger.violations, ...this.auth.violations, ...this.#violations];
  }

  nextLinkNumber(): number {
    return ++this.#links;
  }

  async run(): Promise<void> {
    for (let entity = 0; entity < this.plan.entities.length; entity++) await this.#startProcess(entity);
    await this.#rough();
    await this.#calm();
    if (this.#untilQuiet('after the faults', waitsForItsClient)) {
      this.#wake();
      if (this.#untilQuiet('after everybody came back', () => false)) {
        this.#probe();
        if (this.#untilQuiet('after one more message over each session', () => false)) this.#checkSessions();
      }
    }
    this.ledger.close();
    await this.#close();
    this.trace.note(Code.end, this.network.clock.eventCount, 0, 0, 0, () => 'the end');
  }

  /** Sends a message of random size and priority over a link, unless its connection is closed. */
  send(link: Link, type: number = MessageKind.plain): void {
    const { plan, random } = this;
    const { connection } = link;
    if (connection.state === 'closed') return;
    const priority = plan.priorities[random.integer(0, plan.priorities.length - 1)]!;
    // Small ones are the most.
    const size = Math.floor(random.float() * random.float() * random.float() * (plan.sizeMax + 1));
    const id = this.ledger.totals.sent;
    const message = this.ledger.compose(
      link,
      peerOf(connection),
      connection.peerAddrs.front!.nonce,
      priority,
      size,
      type,
    );
    this.trace.note(
      Code.send,
      link.number,
      size,
      priority,
      0,
      () => `${link.name} sends message ${id}: ${size} bytes, priority ${priority}`,
    );
    if (!connection.send(message)) link.mustDrain = true;
  }

  /** Everything that happens in so many milliseconds. */
  #runFor(ms: number): void {
    const { clock } = this.network;
    clock.run(clock.nowMs() + ms, eventsMax - clock.eventCount);
    if (clock.eventCount >= eventsMax) throw new Error(`livelock: more than ${eventsMax} events`);
  }

  // ── Processes ──────────────────────────────────────────────────────────────────────────────────

  async #startProcess(entity: number): Promise<void> {
    const before = this.#processes[entity];
    // At another port it would be another address.
    const keepsNonce = before?.hasRebound === false && this.random.chance(this.plan.sameNonceProbability);
    const nonce = keepsNonce ? before.nonce : this.random.next() | 1;
    // Its attempts count from 1 again: a late one of the dead may be taken for the newest, any number of times.
    if (keepsNonce) this.#noteForgettingOfAll(entity, Number.POSITIVE_INFINITY);
    const process = new Process(this, entity, nonce >>> 0, keepsNonce);
    this.#processes[entity] = process;
    await process.start();
  }

  /** The address of an entity's present incarnation, as a map would tell it. */
  #addressOf(entity: number): EntityAddrVec {
    return this.#processes[entity]!.messenger.myAddrs;
  }

  /** The link to a target, connecting when there is none. */
  linkTo(process: Process, target: number): Link {
    const peerType = this.plan.entities[target]!.type;
    return process.linkOf(process.messenger.getConnection(this.#addressOf(target), { peerType }));
  }

  #awake(): Process[] {
    return this.#processes.filter((process) => process.isAlive && !process.isPaused);
  }

  #anyAwake(): Process | undefined {
    const awake = this.#awake();
    return awake.length === 0 ? undefined : awake[this.random.integer(0, awake.length - 1)];
  }

  /** Any link that the process may send over: to a target, or one that a peer made. */
  #anyLink(process: Process): Link | undefined {
    const { targets } = process.plan;
    const connections = process.messenger.connections();
    const choice = this.random.integer(0, targets.length + connections.length - 1);
    if (choice < targets.length) return this.linkTo(process, targets[choice]!);
    const connection = connections[choice - targets.length];
    return connection === undefined ? undefined : process.linkOf(connection);
  }

  // ── Rough ──────────────────────────────────────────────────────────────────────────────────────

  async #rough(): Promise<void> {
    const { plan, network, random } = this;
    Object.assign(network.faults, makeFaults(random));
    for (let count = 0; count < plan.actionCount; count++) {
      this.#runFor(-Math.log(1 - random.float()) * plan.actionEveryMs);
      await this.#act(chooseAction(random, plan.weights));
    }
    this.#runFor(random.float() * plan.actionEveryMs * 2);
  }

  async #act(action: Action): Promise<void> {
    const process = this.#anyAwake();
    if (process === undefined) return;
    const { entity } = process;
    this.trace.note(Code.action, action.length, entity, 0, 0, () => `${action}, entity ${entity}`);
    switch (action) {
      case 'send': {
        const link = this.#anyLink(process);
        if (link !== undefined) this.#burst(link);
        return;
      }
      case 'sendCrossed':
        return this.#sendCrossed(process);
      case 'keepalive':
        return this.#anyLink(process)?.connection.sendKeepalive();
      case 'resetConnections':
        return this.network.resetConnections(hostOf(entity), this.random.chance(0.3) ? '*' : this.#anyHost());
      case 'partition':
        return this.#partition(hostOf(entity), this.#anyHost());
      case 'heal':
        return this.#heal();
      case 'pause':
        return this.#pause(process);
      case 'markDown':
        return this.#markDownAny(process);
      case 'rebind':
        return this.#rebind(process);
      case 'restart':
        return this.#restart(process);
      case 'newFaults':
        Object.assign(this.network.faults, makeFaults(this.random));
    }
  }

  #anyHost(): string {
    return hostOf(this.random.integer(0, this.plan.entities.length - 1));
  }

  #burst(link: Link): void {
    const count = this.random.integer(1, this.plan.burstMax);
    for (let sent = 0; sent < count; sent++) this.send(link);
  }

  /** Both connect at once, when neither has a connection. */
  #sendCrossed(process: Process): void {
    const { targets } = process.plan;
    if (targets.length === 0) return;
    const target = targets[this.random.integer(0, targets.length - 1)]!;
    const peer = this.#processes[target]!;
    this.#burst(this.linkTo(process, target));
    if (!peer.isAlive || peer.isPaused || !peer.plan.targets.includes(process.entity)) return;
    this.#burst(this.linkTo(peer, process.entity));
  }

  #partition(from: string, to: string): void {
    if (from === to) return;
    this.network.partition(from, to);
    this.#partitions.push([from, to]);
  }

  #heal(): void {
    const partition = this.#partitions.pop();
    if (partition !== undefined) this.network.heal(...partition);
  }

  #pause(process: Process): void {
    process.isPaused = true;
    process.transport.pause();
    this.network.clock.setTimeout(() => this.#resume(process), this.random.float() * this.plan.pauseMsMax);
  }

  #resume(process: Process): void {
    if (!process.isPaused) return;
    process.isPaused = false;
    process.transport.resume();
  }

  #markDownAny(process: Process): void {
    const connections = process.messenger.connections();
    if (connections.length === 0) return;
    const connection = connections[this.random.integer(0, connections.length - 1)]!;
    const target = peerOf(connection);
    this.markDown(process, connection);
    // Who comes back at once meets what the peer has not noticed yet.
    if (process.plan.targets.includes(target) && this.random.chance(0.5)) {
      this.#burst(this.linkTo(process, target));
    }
  }

  markDown(process: Process, connection: Connection): void {
    const link = process.linkOf(connection);
    this.trace.say(`${link.name} is marked down`);
    link.markedDownBySelf = true;
    this.#noteForgetting(process.entity, peerOf(connection));
    connection.markDown();
  }

  async #rebind(process: Process): Promise<void> {
    if (!process.plan.isBound) return;
    for (const connection of process.messenger.connections()) this.markDown(process, connection);
    this.#noteForgettingOfAll(process.entity, 1);
    await process.rebind();
    if (this.random.chance(0.7)) this.#forgetTheDead();
  }

  async #restart(process: Process): Promise<void> {
    const { random, plan, network } = this;
    if (random.chance(0.3)) network.resetConnections(hostOf(process.entity));
    await process.die();
    this.#noteForgettingOfAll(process.entity, 1);
    this.#runFor(random.float() * plan.downMsMax);
    await this.#startProcess(process.entity);
    // The peers hear of it as from a map; those that miss it find out in the end.
    if (random.chance(0.7)) this.#forgetTheDead();
  }

  /** Marks down every connection to an incarnation that is no more. */
  #forgetTheDead(): void {
    for (const process of this.#processes) {
      if (process.isPaused) continue;
      for (const connection of process.messenger.connections()) {
        if (!this.#leadsSomewhere(connection)) this.markDown(process, connection);
      }
    }
  }

  #noteForgetting(one: number, other: number, times = 1): void {
    const key = pairKey(one, other);
    this.#forgettings.set(key, (this.#forgettings.get(key) ?? 0) + times);
  }

  #noteForgettingOfAll(entity: number, times: number): void {
    for (let other = 0; other < this.plan.entities.length; other++) {
      this.#noteForgetting(entity, other, times);
    }
  }

  noteFrame(tag: number, from: number, to: number): void {
    if (tag !== Tag.ServerIdent && tag !== Tag.SessionReconnectOk) return;
    const key = pairKey(from, to);
    this.#unheard.set(key, (this.#unheard.get(key) ?? 0) + 1);
  }

  noteConnect(from: number, to: number): void {
    const key = pairKey(from, to);
    this.#unheard.set(key, (this.#unheard.get(key) ?? 0) - 1);
  }

  /**
   * Reasons for resets between two entities: how often one of them gave up what it knew of the session; and
   * then, answers that never arrived. After a reset both may have nothing to send, and each may have begun
   * a session of its own in which the other never heard its answer: the cookies differ, and the next
   * reconnect is a reset again (in Ceph too, by the same decisions).
   */
  resetReasons(one: number, other: number): number {
    const key = pairKey(one, other);
    const forgettings = this.#forgettings.get(key) ?? 0;
    return forgettings === 0 ? 0 : forgettings + Math.max(0, this.#unheard.get(key) ?? 0);
  }

  #leadsSomewhere({ peerAddrs }: Connection): boolean {
    const { host, nonce } = peerAddrs.front!;
    return this.#processes.some((peer) => hostOf(peer.entity) === host && peer.nonce === nonce);
  }

  // ── Calm ───────────────────────────────────────────────────────────────────────────────────────

  async #calm(): Promise<void> {
    const { faults } = this.network;
    this.isCalm = true;
    this.trace.say('faults cease');
    Object.assign(faults, { partialRead: 0, partialWrite: 0, reset: 0, corrupt: 0, refuse: 0, clog: 0 });
    this.network.healAll();
    for (const process of this.#processes) this.#resume(process);
    this.#forgetTheDead();
  }

  /** A server waits for its clients, however long: all of them come back. */
  #wake(): void {
    for (const process of this.#processes) {
      for (const target of process.plan.targets) this.send(this.linkTo(process, target));
    }
  }

  /**
   * Runs until nothing moves any more; false, and a violation, when that does not come. Connections that
   * `mayWait` need not have sent what they have.
   */
  #untilQuiet(when: string, mayWait: (connection: PeerConnection) => boolean): boolean {
    const { clock } = this.network;
    const limitMs = clock.nowMs() + calmMsMax;
    for (;;) {
      this.#runFor(calmStepMs);
      // The last words of a process may arrive long after it died, and make a connection.
      this.#forgetTheDead();
      if (this.#isQuiet(mayWait)) return true;
      if (clock.nowMs() >= limitMs) break;
    }
    const unsettled = this.#processes.flatMap((process) =>
      process.messenger
        .connections()
        .filter((connection) => !isSettled(connection as PeerConnection))
        .map((connection) => {
          const { queuedMessages } = connection.counters();
          return `${process.linkOf(connection).name} is ${connection.state} with ${queuedMessages} messages`;
        }),
    );
    const what =
      unsettled.length > 0 ? unsettled.join('; ') : 'messages are missing, or wait for a dispatcher';
    this.#violations.push(`deadlock ${when}: ${what}`);
    return false;
  }

  #isQuiet(mayWait: (connection: PeerConnection) => boolean): boolean {
    for (const process of this.#processes) {
      if (!process.isQuiet) return false;
      for (const connection of process.messenger.connections() as PeerConnection[]) {
        if (!isSettled(connection) && !mayWait(connection)) return false;
      }
    }
    return this.ledger.isComplete(mayWait);
  }

  #probe(): void {
    for (const process of this.#processes) {
      for (const connection of process.messenger.connections()) this.send(process.linkOf(connection));
    }
  }

  #checkSessions(): void {
    this.#violations.push(...sessionProblems(this.#processes, (one, other) => this.resetReasons(one, other)));
  }

  async #close(): Promise<void> {
    const { clock } = this.network;
    for (const process of this.#processes) await process.die();
    this.#runFor(afterShutdownMs);
    const { pendingCount } = clock;
    if (pendingCount > 0) this.#violations.push(`leak: ${pendingCount} timers after the shutdown`);
    const { streamCount } = this.network;
    if (streamCount > 0) this.#violations.push(`leak: ${streamCount} sockets after the shutdown`);
  }
}

function pairKey(one: number, other: number): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}

function chooseAction(random: Random, weights: ActionWeights): Action {
  const choices = Object.entries(weights) as [Action, number][];
  let at = random.float() * choices.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [action, weight] of choices) {
    at -= weight;
    if (at < 0) return action;
  }
  return 'send';
}

/** It cannot connect, and its client has no reason to. */
function waitsForItsClient({ state, policy }: PeerConnection): boolean {
  return policy.server && state === 'standby';
}

/** In session or at rest, with nothing to send and nothing unacknowledged. */
function isSettled(connection: PeerConnection): boolean {
  const { state, policy } = connection;
  if (state !== 'open' && (state !== 'standby' || policy.lossy)) return false;
  return connection.channel.outboxCount === 0 && connection.queuedBytes === 0;
}
