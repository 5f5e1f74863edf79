/**
 * One incarnation of an entity: a real messenger over the in-memory network, and a dispatcher that enters
 * in the ledger what reaches it. It dies as a process does, without a word: its sockets close, and nothing
 * happens to it any more.
 */
import type { Connection } from '../../src/messenger/connection.ts';
import type { Dispatcher } from '../../src/messenger/dispatcher.ts';
import type { InterceptAction, Interceptor } from '../../src/messenger/interceptor.ts';
import { InterceptStep } from '../../src/messenger/interceptor.ts';
import type { ReceivedMessage } from '../../src/messenger/message.ts';
import { Messenger } from '../../src/messenger/messenger.ts';
import type { PeerConnection } from '../../src/messenger/peer-connection.ts';
import { Throttle } from '../../src/messenger/throttle.ts';
import type { MemoryTransport } from '../../src/transport/memory/memory-transport.ts';
import type { Random } from '../../src/transport/memory/random.ts';
import { EntityName } from '../../src/wire/entity-name.ts';
import { hookTransport } from './hooks.ts';
import { MessageKind } from './ledger.ts';
import { Link, type ProcessView } from './link.ts';
import type { EntityPlan } from './plan.ts';
import { Code } from './trace.ts';
import type { World } from './world.ts';

export const serverPort = 6800;

const hostPrefix = '10.0.0.';

export function hostOf(entity: number): string {
  return `${hostPrefix}${entity + 1}`;
}

/** The entity at the other end. */
export function peerOf({ peerAddrs }: Connection): number {
  return entityAt(peerAddrs.front!.host);
}

function entityAt(host: string): number {
  return Number(host.slice(hostPrefix.length)) - 1;
}

export class Process implements ProcessView, Dispatcher {
  readonly entity: number;
  nonce: number;
  readonly plan: EntityPlan;
  readonly messenger: Messenger;
  readonly transport: MemoryTransport;
  isAlive = true;
  isPaused = false;
  hasRebound = false;
  readonly keepsNonce: boolean;
  readonly links = new Map<Connection, Link>();
  readonly canFastDispatch?: () => boolean;
  readonly #world: World;
  readonly #throttles: Throttle[] = [];
  /** Messages that are held in the throttle. */
  #held = 0;

  constructor(world: World, entity: number, nonce: number, keepsNonce: boolean) {
    const { plan, network, random } = world;
    this.#world = world;
    this.entity = entity;
    this.nonce = nonce;
    this.keepsNonce = keepsNonce;
    this.plan = plan.entities[entity]!;
    this.transport = network.createTransport({ address: hostOf(entity) });
    const auth = world.auth.provider(this.plan.type, entity);
    const hasSteps = plan.stepHoldProbability > 0 || plan.stepFailProbability > 0;
    this.messenger = Messenger.create({
      name: new EntityName(this.plan.type, BigInt(entity)),
      transport: hookTransport(this.transport, world.hooks, `entity ${entity}`, (tag, host) =>
        world.noteFrame(tag, entity, entityAt(host)),
      ),
      options: plan.options,
      nonce,
      clock: this.transport.clock,
      random: randomSource(random),
      ...(auth === undefined ? {} : { auth }),
      ...(hasSteps ? { interceptor: this.#interceptor() } : {}),
    });
    for (const [type, policy] of this.plan.policies) {
      const throttlerMessages = new Throttle({ name: 'messages', max: plan.policyMessagesMax });
      this.#throttles.push(throttlerMessages);
      this.messenger.setPolicy(type, { ...policy, throttlerMessages });
    }
    if (plan.isFast) this.canFastDispatch = () => true;
    this.messenger.addDispatcherTail(this);
  }

  async start(): Promise<void> {
    if (this.plan.isBound) await this.messenger.bind(`v2:${hostOf(this.entity)}:${serverPort}`);
    this.messenger.start();
  }

  /** Another nonce and another port; whoever knows the old ones finds nobody there. */
  async rebind(): Promise<void> {
    this.hasRebound = true;
    await this.messenger.rebind();
    this.nonce = this.messenger.nonce;
  }

  /** As kill -9 does; the promise only tells that the listeners are gone. */
  async die(): Promise<void> {
    this.isAlive = false;
    await this.messenger.shutdown();
    await this.transport.close();
    // What was held for a stopped process finds everything closed.
    this.transport.resume();
  }

  /** The link of a connection; made when it is seen first. */
  linkOf(connection: Connection): Link {
    let link = this.links.get(connection);
    if (link === undefined) {
      link = new Link(this.#world.nextLinkNumber(), this, connection as PeerConnection);
      this.links.set(connection, link);
      const drained = link;
      connection.on('drain', () => {
        drained.mustDrain = false;
      });
      connection.on('state', (_state, cause) => this.#world.auth.noteClosed(cause));
    }
    return link;
  }

  /** Nothing waits for a dispatcher, and nothing is held by one. */
  get isQuiet(): boolean {
    const { dispatchQueue } = this.messenger;
    const isFree = [dispatchQueue.throttle, ...this.#throttles].every(({ current }) => current === 0);
    return dispatchQueue.length === 0 && isFree && this.#held === 0;
  }

  // ── What the messenger tells ───────────────────────────────────────────────────────────────────

  fastPreprocess(message: ReceivedMessage): void {
    this.#world.ledger.arrived(this.linkOf(message.connection), message);
  }

  fastDispatch(message: ReceivedMessage): void {
    this.#take(message);
  }

  dispatch(message: ReceivedMessage): boolean {
    const { plan, random } = this.#world;
    this.#take(message);
    if (random.chance(plan.holdProbability)) {
      const release = message.connection.hold(message.byteLength);
      this.#held++;
      this.transport.clock.setTimeout(() => {
        this.#held--;
        release();
      }, random.float() * plan.holdMsMax);
    }
    return true;
  }

  handleConnect(connection: Connection): void {
    this.#world.noteConnect(this.entity, peerOf(connection));
    this.#event(Code.connect, 'connect', connection);
  }

  handleAccept(connection: Connection): void {
    this.#event(Code.accept, 'accept', connection);
  }

  handleReset(connection: Connection): boolean {
    this.#event(Code.reset, 'reset', connection, 1);
    return true;
  }

  handleRemoteReset(connection: Connection): void {
    this.#event(Code.remoteReset, 'remote reset', connection, 1);
  }

  handleRefused(connection: Connection): boolean {
    this.#event(Code.refused, 'refused', connection);
    return true;
  }

  #event(code: number, name: string, connection: Connection, resets = 0): void {
    const { plan, random, trace } = this.#world;
    const link = this.linkOf(connection);
    link.resetEvents += resets;
    trace.note(code, link.number, 0, 0, 0, () => `${name} on ${link.name}`);
    if (!random.chance(plan.eventSendProbability)) return;
    const target = peerOf(connection);
    if (connection.state !== 'closed') this.#world.send(link);
    else if (this.plan.targets.includes(target)) this.#world.send(this.#world.linkTo(this, target));
  }

  #take(message: ReceivedMessage): void {
    const { ledger, plan, random, trace } = this.#world;
    const link = this.linkOf(message.connection);
    const id = ledger.dispatched(link, message);
    trace.note(Code.dispatch, link.number, id, 0, 0, () => `${link.name} got message ${id}`);
    if (!this.#world.isCalm && random.chance(plan.handlerMarkDownProbability)) {
      return this.#world.markDown(this, message.connection);
    }
    if (message.type === MessageKind.answer || !random.chance(plan.replyProbability)) return;
    this.#world.send(link, MessageKind.answer);
  }

  /** Holds and breaks handshakes at Ceph's steps. What it holds goes on by the clock, without a promise. */
  #interceptor(): Interceptor {
    const { plan, random } = this.#world;
    return (_subject, step) => {
      if (this.#world.isCalm || step === InterceptStep.HandleMessage) return 'continue';
      if (random.chance(plan.stepFailProbability)) return 'fail';
      if (!random.chance(plan.stepHoldProbability)) return 'continue';
      const delayMs = random.float() * plan.stepHoldMsMax;
      const held = {
        // biome-ignore lint/suspicious/noThenProperty: a promise would need the host's microtasks
        then: (proceed: (action: InterceptAction) => void): void => {
          this.transport.clock.setTimeout(() => proceed('continue'), delayMs);
        },
      };
      return held as unknown as Promise<InterceptAction>;
    };
  }
}

function randomSource(random: Random): { u32(): number; u64(): bigint } {
  return {
    u32: () => random.next(),
    u64: () => (BigInt(random.next()) << 32n) | BigInt(random.next()),
  };
}
