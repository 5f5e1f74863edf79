/** A monitor, an OSD and clients with cephx as real messengers on loopback. */
import type { CephxSession } from '../../../src/auth/cephx/session.ts';
import type { Connection } from '../../../src/messenger/connection.ts';
import type { Messenger } from '../../../src/messenger/messenger.ts';
import { Policy } from '../../../src/messenger/policy.ts';
import type { SocketAddress } from '../../../src/transport/socket.ts';
import type { EntityAddr } from '../../../src/wire/entity-addr.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { Messengers, type Recorder, type TestTransport } from '../../support/messengers.ts';
import { withTimeout } from '../../support/timeout.ts';
import { CephxWorld } from './cephx-world.ts';

const { Mon, Osd } = EntityType;

export interface Member {
  readonly session: CephxSession;
  readonly messenger: Messenger;
  readonly recorder: Recorder;
}

export class CephxMessengers implements AsyncDisposable {
  readonly world: CephxWorld;
  readonly mode: 'crc' | 'secure';
  readonly all: Messengers;
  mon!: { messenger: Messenger; recorder: Recorder };
  osd!: Member;
  /** Where connections are dialled instead, by the port they are meant for. */
  readonly routes = new Map<number, SocketAddress>();

  private constructor(transport: TestTransport, mode: 'crc' | 'secure') {
    this.mode = mode;
    const kinds = ['cluster', 'service', 'client', 'mon_cluster', 'mon_service', 'mon_client'];
    const modes = Object.fromEntries(kinds.map((kind) => [`ms_${kind}_mode`, mode]));
    this.world = new CephxWorld({ options: modes });
    this.world.time = Date.now();
    this.all = new Messengers(transport);
  }

  /** A monitor, and `osd.3`, which has been let in and accepts others. */
  static async start(transport: TestTransport, mode: 'crc' | 'secure'): Promise<CephxMessengers> {
    const cluster = new CephxMessengers(transport, mode);
    cluster.mon = await cluster.all.server({ name: 'mon.0', nonce: 0, auth: cluster.world.mon });
    cluster.mon.messenger.setDefaultPolicy(Policy.statelessServer());
    const session = cluster.world.member('osd.3');
    const osd = await cluster.all.server({ name: 'osd.3', auth: session });
    osd.messenger.setDefaultPolicy(Policy.statelessServer());
    cluster.osd = { session, ...osd };
    return cluster;
  }

  get monAddr(): EntityAddr {
    return this.mon.messenger.myAddrs.v2()!;
  }

  get osdAddr(): EntityAddr {
    return this.osd.messenger.myAddrs.v2()!;
  }

  /** A client that has not spoken to the monitor yet. */
  newcomer(name: string, session: CephxSession = this.world.session(name)): Member {
    const client = this.all.client({
      name: 'client.4242',
      auth: session,
      options: { ms_initial_backoff: 0.01, ms_max_backoff: 0.05 },
      route: (address) =>
        this.routes.get(address.port) ?? { family: 4, host: address.host, port: address.port },
    });
    client.messenger.setDefaultPolicy(Policy.lossyClient());
    return { session, ...client };
  }

  /** A client that has its tickets. */
  async member(name: string): Promise<Member> {
    const member = this.newcomer(name);
    await this.join(member);
    return member;
  }

  /** Connects to the monitor and chooses it. */
  async join({ messenger, session }: Member): Promise<Connection> {
    const connection = messenger.getConnection(this.monAddr, { peerType: Mon });
    await untilState(connection, 'open');
    session.choose(this.monAddr);
    return connection;
  }

  async connectToOsd({ messenger }: Member): Promise<Connection> {
    const connection = messenger.getConnection(this.osdAddr, { peerType: Osd });
    await untilState(connection, 'open');
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.all[Symbol.asyncDispose]();
  }
}

/** Resolves at once when the connection is there already. */
export async function untilState(connection: Connection, state: Connection['state']): Promise<void> {
  if (connection.state === state) return;
  const reached = new Promise<void>((resolve) => {
    const look = (now: Connection['state']): void => {
      if (now !== state) return;
      connection.off('state', look);
      resolve();
    };
    connection.on('state', look);
  });
  await withTimeout(reached, 20_000, `a connection to be ${state}`);
}
