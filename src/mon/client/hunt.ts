/**
 * One sweep of the hunt for a monitor: several are dialled at once, and the first that shows a monitor map
 * of our cluster wins. The others are closed.
 *
 *      batch of monitors ──► connect, authenticate, MMonGetMap ──► MMonMap with our fsid ──► onFound
 *            ▲                            │
 *            └── all failed, or time is up ┘ ──► no monitor is left ──► onSweepOver
 *
 * A monitor that cannot be reached is dialled again, with the messenger's backoff, while its batch lasts:
 * it may be starting. One that refuses us, or sends what does not decode, is not.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { decodeMonMap, type MonMap } from '../../maps/mon-map.ts';
import type { Connection, ConnectionState } from '../../messenger/connection.ts';
import { Message, type ReceivedMessage } from '../../messenger/message.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import type { Clock } from '../../transport/clock.ts';
import { EntityType } from '../../wire/entity-name.ts';
import { MMonGetMap } from '../../wire/messages/m-mon-get-map.ts';
import { MMonMap } from '../../wire/messages/m-mon-map.ts';
import type { Uuid } from '../../wire/uuid.ts';
import { type Monitor, type Monitors, monitorText } from './monitors.ts';

/** Why a monitor did not become ours. */
export interface HuntFailure {
  readonly monitor: Monitor;
  readonly error: MsgrError;
}

/** The monitor that was found: its connection is open, and the map is the one it sent. */
export interface HuntFound {
  readonly monitor: Monitor;
  readonly connection: Connection;
  readonly map: MonMap;
}

export interface HuntInit {
  readonly messenger: Messenger;
  readonly monitors: Monitors;
  readonly clock: Clock;
  /** Monitors dialled at once; 0: all. */
  readonly parallel: number;
  /** How long one batch may take. */
  readonly intervalMs: number;
  /** The cluster that is meant; the first one found when undefined. */
  readonly fsid: Uuid | undefined;
  /** The hunt is over, and the connection is the caller's. */
  onFound(found: HuntFound): void;
  /** The hunt is over without a monitor. */
  onSweepOver(failures: readonly HuntFailure[]): void;
}

const refusals: readonly string[] = [
  ErrorCode.Auth,
  ErrorCode.Keyring,
  ErrorCode.PeerMismatch,
  ErrorCode.MissingFeatures,
];

/** Refusals are answers: asking again changes nothing until somebody changes the configuration. */
export function isRefusal({ code }: MsgrError): boolean {
  return refusals.includes(code);
}

/** The map that a monitor sent. @throws MsgrError ERR_MSGR_MALFORMED, ERR_MSGR_PEER_MISMATCH */
export function readMonMap(bytes: Uint8Array, fsid: Uuid | undefined): MonMap {
  const map = decodeMonMap(bytes);
  if (fsid !== undefined && !map.fsid.equals(fsid)) {
    throw new MsgrError(
      ErrorCode.PeerMismatch,
      `the monitor is of cluster ${map.fsid}, not of ${fsid}: check mon_host and fsid`,
      { field: 'monmap.fsid' },
    );
  }
  if (![...map.monitors.values()].some(({ publicAddrs }) => publicAddrs.v2() !== undefined)) {
    throw new MsgrError(ErrorCode.Malformed, 'the monitor map names no monitor with a v2 address', {
      field: 'monmap.mon_info',
    });
  }
  return map;
}

interface Contact {
  readonly monitor: Monitor;
  readonly connection: Connection;
  readonly onState: (state: ConnectionState, cause: MsgrError | undefined) => void;
  /** Failed at least once; it may still be dialled again. */
  hasFailed: boolean;
}

export class Hunt {
  readonly #init: HuntInit;
  readonly #contacts = new Map<Connection, Contact>();
  readonly #failures = new Map<string, HuntFailure>();
  #timer: unknown;
  #isOver = false;

  constructor(init: HuntInit) {
    this.#init = init;
  }

  /** What has failed so far, the last reason of each monitor. */
  get failures(): HuntFailure[] {
    return [...this.#failures.values()];
  }

  start(): void {
    this.#init.monitors.startSweep();
    this.#nextBatch();
  }

  /** Closes what was dialled; nothing is reported any more. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#init.clock.clearTimeout(this.#timer);
    for (const contact of [...this.#contacts.values()]) this.#drop(contact);
  }

  /** True when the message came from a monitor that is being hunted. */
  dispatch(message: ReceivedMessage): boolean {
    const contact = this.#contacts.get(message.connection);
    if (contact === undefined) return false;
    if (message.type !== MMonMap.type) return true;
    let map: MonMap;
    try {
      map = readMonMap(message.as(MMonMap)!.monmap, this.#init.fsid);
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      this.#drop(contact);
      this.#failed(contact, error);
      return true;
    }
    const { connection, monitor } = contact;
    this.#contacts.delete(connection);
    connection.off('state', contact.onState);
    this.stop();
    this.#init.onFound({ monitor, connection, map });
    return true;
  }

  #nextBatch(): void {
    const { clock, intervalMs, messenger, monitors, parallel } = this.#init;
    for (const contact of [...this.#contacts.values()]) this.#drop(contact);
    const batch = monitors.nextBatch(parallel, messenger.random);
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => this.#timeIsUp(), intervalMs);
    for (const monitor of batch) {
      if (!this.#isOver) this.#dial(monitor);
    }
  }

  #dial(monitor: Monitor): void {
    const { messenger } = this.#init;
    let connection: Connection;
    try {
      // A connection of its own: what others do with their connections to a monitor must not end ours.
      connection = messenger.getConnection(monitor.addrs, {
        peerType: EntityType.Mon,
        isAnonymous: true,
      });
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      this.#failures.set(monitor.target.key, { monitor, error });
      return;
    }
    const onState = (state: ConnectionState, cause: MsgrError | undefined): void => {
      if (state === 'closed') this.#contacts.delete(connection);
      if (state === 'closed' || state === 'backoff') {
        this.#failed(contact, cause ?? new MsgrError(ErrorCode.Closed, 'the connection was closed'));
      }
    };
    const contact: Contact = { monitor, connection, onState, hasFailed: false };
    this.#contacts.set(connection, contact);
    connection.on('state', onState);
    connection.send(Message.of(MMonGetMap, {}));
  }

  #failed(contact: Contact, error: MsgrError): void {
    if (this.#isOver) return;
    const { monitor } = contact;
    this.#failures.set(monitor.target.key, { monitor, error });
    contact.hasFailed = true;
    if (isRefusal(error)) this.#drop(contact);
    if ([...this.#contacts.values()].some((other) => !other.hasFailed)) return;
    // In a turn of its own: the connection that failed is still in the middle of that.
    this.#init.clock.setImmediate(() => {
      if (this.#isOver || [...this.#contacts.values()].some((other) => !other.hasFailed)) return;
      if (this.#init.monitors.hasMore) this.#nextBatch();
      else if (this.#contacts.size === 0) this.#sweepIsOver();
    });
  }

  #timeIsUp(): void {
    for (const { monitor, hasFailed } of this.#contacts.values()) {
      if (hasFailed) continue;
      const reason = `no answer within ${this.#init.intervalMs} ms`;
      const error = new MsgrError(ErrorCode.Timeout, reason, { peer: String(monitor.target) });
      this.#failures.set(monitor.target.key, { monitor, error });
    }
    if (this.#init.monitors.hasMore) this.#nextBatch();
    else this.#sweepIsOver();
  }

  #sweepIsOver(): void {
    const { failures } = this;
    this.stop();
    this.#init.onSweepOver(failures);
  }

  #drop(contact: Contact): void {
    this.#contacts.delete(contact.connection);
    contact.connection.off('state', contact.onState);
    contact.connection.markDown();
  }
}

/** One error of all failures; its code is that of a refusal if there was one. */
export function huntError(
  failures: readonly HuntFailure[],
  lookupFailures: readonly MsgrError[] = [],
): MsgrError {
  const reasons = [
    ...failures.map(({ monitor, error }) => `${monitorText(monitor)}: ${error.message}`),
    ...lookupFailures.map(({ message }) => message),
  ];
  const first = failures.find(({ error }) => isRefusal(error)) ?? failures[0];
  const cause = first?.error ?? lookupFailures[0];
  return new MsgrError(
    cause?.code ?? ErrorCode.Timeout,
    `no session with a monitor: ${reasons.join('; ') || 'none has answered yet'}`,
    {
      ...(cause === undefined ? {} : { cause }),
      ...(cause?.errno === undefined ? {} : { errno: cause.errno }),
      ...(first === undefined ? {} : { peer: String(first.monitor.target) }),
    },
  );
}
