/**
 * The monitor's side of cephx with real peers: the `ceph` tool and a real ceph-osd authenticate to our
 * acceptor, renew their tickets in MAuth, come back with their global id, and the OSD takes the rotating keys
 * it fetched from us for the secrets of its cluster. Nothing of a monitor is played but authentication and
 * the map that says where the monitor is.
 *
 * @timeLimitSeconds 240
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuthMethod, ConnectionMode } from '../../src/auth/auth.ts';
import { CryptoKey } from '../../src/auth/cephx/crypto-key.ts';
import { KeyType } from '../../src/auth/cephx/key-type.ts';
import { MemoryKeyServer } from '../../src/auth/cephx/memory-key-server.ts';
import { MonAuth } from '../../src/auth/cephx/mon-auth.ts';
import { RequestType } from '../../src/auth/cephx/request.ts';
import { CephxSession } from '../../src/auth/cephx/session.ts';
import { Keyring, parseAuthName } from '../../src/auth/keyring.ts';
import type { Connection } from '../../src/messenger/connection.ts';
import { Message, type ReceivedMessage } from '../../src/messenger/message.ts';
import type { Messenger } from '../../src/messenger/messenger.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { type Options, resolveOptions } from '../../src/options.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityType } from '../../src/wire/entity-name.ts';
import { cephMessages } from '../../src/wire/messages/ceph-messages.ts';
import { MAuth } from '../../src/wire/messages/m-auth.ts';
import { MAuthReply } from '../../src/wire/messages/m-auth-reply.ts';
import { MConfig } from '../../src/wire/messages/m-config.ts';
import { MMonGetMap } from '../../src/wire/messages/m-mon-get-map.ts';
import { MMonMap } from '../../src/wire/messages/m-mon-map.ts';
import { MMonSubscribe } from '../../src/wire/messages/m-mon-subscribe.ts';
import { MessageRegistry } from '../../src/wire/messages/registry.ts';
import { untilState } from '../auth/support/cephx-messengers.ts';
import { requireCeph } from '../support/ceph-cluster.ts';
import { Messengers, type Recorder, type TestTransport, testTransports } from '../support/messengers.ts';
import { limited, waitUntil, withTimeout } from '../support/timeout.ts';

type Mode = 'crc' | 'secure';

/** A monitor that authenticates, on a port of its own; its clients' files are in `folder`. */
class TicketMonitor implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'msgr2-tickets-'));
  readonly fsid = randomUUID();
  readonly keys: MemoryKeyServer;
  readonly options: Options;
  readonly all: Messengers;
  messenger!: Messenger;
  recorder!: Recorder;
  /** MAuth requests that were granted, by entity and type. */
  readonly granted = new Map<string, number>();
  /** Global ids of accepted sessions by entity, in order. */
  readonly sessions: { entity: string; globalId: bigint; mode: number }[] = [];
  readonly #children: ChildProcess[] = [];
  #monmap: Uint8Array = new Uint8Array(0);
  #lastGlobalId = 5000n;

  private constructor(transport: TestTransport, mode: Mode, options: Partial<Options>) {
    const kinds = ['cluster', 'service', 'client', 'mon_cluster', 'mon_service', 'mon_client'];
    const modes = Object.fromEntries(kinds.map((kind) => [`ms_${kind}_mode`, mode]));
    // Ceph 16 knows no other type.
    this.options = resolveOptions({ ...modes, auth_service_cipher: 'aes', ...options });
    this.keys = new MemoryKeyServer(this.options);
    this.all = new Messengers(transport);
  }

  static async start(
    transport: TestTransport,
    mode: Mode,
    options: Partial<Options> = {},
  ): Promise<TicketMonitor> {
    const monitor = new TicketMonitor(transport, mode, options);
    await monitor.#start(mode);
    return monitor;
  }

  get address(): EntityAddr {
    return this.messenger.myAddrs.v2()!;
  }

  get confPath(): string {
    return join(this.folder, 'ceph.conf');
  }

  /** Registers an entity and writes its keyring; another key there than here, when told so. */
  add(name: string, hasWrongKeyring = false): CryptoKey {
    const entity = parseAuthName(name);
    const key = CryptoKey.generate(KeyType.Aes);
    const caps = new Map([
      ['mon', 'allow *'],
      ['osd', 'allow *'],
    ]);
    this.keys.set(entity, { key, caps });
    const keyring = new Keyring();
    keyring.set(entity, { key: hasWrongKeyring ? CryptoKey.generate(KeyType.Aes) : key, caps });
    writeFileSync(join(this.folder, `${name}.keyring`), keyring.format(), { mode: 0o600 });
    return key;
  }

  /** Starts a program of Ceph's that dies with us. */
  spawn(program: string, ...args: string[]): ChildProcess {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, '-c', this.confPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#children.filter((child) => child.exitCode === null && child.signalCode === null);
    const ended = running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of running) child.kill('SIGKILL');
    await Promise.all(ended);
    await this.all[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(mode: Mode): Promise<void> {
    const auth = new MonAuth({
      keys: this.keys,
      options: this.options,
      assignGlobalId: () => ++this.#lastGlobalId,
    });
    const messageTypes = new MessageRegistry(cephMessages);
    const init = { name: 'mon.0', nonce: 0, auth, messageTypes } as const;
    const { messenger, recorder } = await this.all.server(init);
    messenger.setDefaultPolicy(Policy.statelessServer());
    this.messenger = messenger;
    this.recorder = recorder;
    recorder.onMessage = (message) => this.#answer(message);
    messenger.addDispatcherHead({
      dispatch: () => false,
      handleAccept: ({ auth: facts }) => {
        const { connectionMode, entity, globalId } = facts!;
        this.sessions.push({ entity: entity!, globalId, mode: connectionMode });
      },
    });
    const host = `[${String(this.address).replace(/\/\d+$/, '')}]`;
    const path = join(this.folder, 'monmap');
    const release = ['--set-min-mon-release', '16', '--enable-all-features'];
    execFileSync('monmaptool', ['--create', '--fsid', this.fsid, ...release, '--addv', 'a', host, path], {
      stdio: 'ignore',
    });
    this.#monmap = readFileSync(path);
    const lines = {
      fsid: this.fsid,
      'mon host': host,
      'auth cluster required': 'cephx',
      'auth service required': 'cephx',
      'auth client required': 'cephx',
      'ms bind msgr1': 'false',
      keyring: join(this.folder, '$name.keyring'),
      'run dir': this.folder,
      'admin socket': '',
      'log to stderr': 'false',
      'log file': join(this.folder, '$name.log'),
      'mon client ping interval': '1',
      'osd objectstore': 'memstore',
      'memstore device bytes': '268435456',
      'osd data': join(this.folder, '$name'),
      ...Object.fromEntries(
        ['cluster', 'service', 'client', 'mon cluster', 'mon service', 'mon client'].map((kind) => [
          `ms ${kind} mode`,
          mode,
        ]),
      ),
    };
    const text = Object.entries(lines).map(([key, value]) => `${key} = ${value}\n`);
    writeFileSync(this.confPath, `[global]\n${text.join('')}`);
  }

  #answer(message: ReceivedMessage): void {
    const { connection } = message;
    if (message.as(MMonGetMap) !== undefined) connection.send(Message.of(MMonMap, { monmap: this.#monmap }));
    const subscribe = message.as(MMonSubscribe);
    if (subscribe?.what.has('config')) connection.send(Message.of(MConfig, { config: new Map() }));
    if (subscribe?.what.has('monmap')) connection.send(Message.of(MMonMap, { monmap: this.#monmap }));
    const auth = message.as(MAuth);
    if (auth !== undefined) this.#renew(connection, auth);
  }

  #renew(connection: Connection, { payload, protocol }: MAuth): void {
    const { entity, globalId, requests } = connection.auth!;
    assert.is(protocol, AuthMethod.Cephx);
    const reply = requests!.handleRequest(payload);
    if (reply.result === 0) {
      const what = `${entity} 0x${Buffer.from(payload).readUInt16LE().toString(16)}`;
      this.granted.set(what, (this.granted.get(what) ?? 0) + 1);
    }
    connection.send(Message.of(MAuthReply, { protocol, globalId, resultMessage: '', ...reply }));
  }

  grantedTo(entity: string, type: RequestType): number {
    return this.granted.get(`${entity} 0x${type.toString(16)}`) ?? 0;
  }
}

function outputOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += chunk;
    });
    child.stderr!.on('data', (chunk) => {
      text += chunk;
    });
    child.once('close', () => resolve(text));
  });
}

const modeNumbers = { crc: ConnectionMode.Crc, secure: ConnectionMode.Secure };

/** Authentication is the same on every transport: each has one mode, and both modes have their turn. */
const [first, second = first] = testTransports();
const pairs = [
  [first!, 'secure'],
  [second!, 'crc'],
] as const;

if (requireCeph('real clients and daemons at our side of cephx')) {
  for (const [transport, mode] of pairs) {
    test(
      `the ceph tool is let in, renews its tickets and comes back with its global id (${transport}, ${mode})`,
      limited(90_000, async () => {
        const ttl = { auth_service_ticket_ttl: 4, auth_mon_ticket_ttl: 8 };
        await using monitor = await TicketMonitor.start(transport, mode, ttl);
        monitor.add('client.admin');
        monitor.spawn('ceph', '--connect-timeout', '60', 'status');
        // It asks for the map and the configuration on a session of its own, and comes again to stay.
        const stays = await waitUntil(
          () => monitor.sessions.length >= 2 && monitor.sessions.at(-1),
          30_000,
          'two sessions of the ceph tool',
        );
        assert.is(stays.entity, 'client.admin');
        assert.is(stays.mode, modeNumbers[mode]);
        const { recorder } = monitor;
        const connection = recorder.lastConnection!;
        assert.is(connection.auth!.globalId, stays.globalId);
        assert.is(connection.auth!.caps, 'allow *');
        // Three quarters of 4 s and of 8 s: tickets for services, and the AUTH ticket.
        for (const type of [RequestType.PrincipalSessionKey, RequestType.AuthSessionKey]) {
          await waitUntil(
            () => monitor.grantedTo('client.admin', type) >= 2,
            40_000,
            `request 0x${type.toString(16)} twice`,
            100,
          );
        }
        // The session of now: the tool may have come again by itself. Its tick takes the time from a coarse
        // clock, then asks how old the last acknowledged keepalive is; one that came since is younger than
        // zero, in unsigned seconds as old as 2106, and the tool gives the session up.
        const count = monitor.sessions.length;
        recorder.lastConnection!.markDown();
        const again = await waitUntil(() => monitor.sessions[count], 30_000, 'the ceph tool to come back');
        assert.is(again.globalId, stays.globalId);
        assert.is(monitor.messenger.counters().acceptFailures, 0);
      }),
    );

    test(
      `a real OSD opens the tickets that we make, with the rotating keys that it has from us (${transport}, ${mode})`,
      limited(90_000, async () => {
        await using monitor = await TicketMonitor.start(transport, mode);
        monitor.add('osd.0');
        const adminKey = monitor.add('client.admin');
        await mkdir(join(monitor.folder, 'osd.0'));
        const mkfs = ['-i', '0', '--mkfs', '--osd-uuid', randomUUID(), '--no-mon-config'];
        const made = await outputOf(monitor.spawn('ceph-osd', ...mkfs));
        // An address of its own: the public messenger then has the first port of the range.
        const ip = `127.${randomInt(16, 250)}.${randomInt(1, 250)}.${randomInt(2, 250)}`;
        const addrs = ['--public-addr', ip, '--cluster-addr', ip];
        const osd = monitor.spawn('ceph-osd', '-i', '0', '-f', ...addrs);
        await waitUntil(
          () => monitor.grantedTo('osd.0', RequestType.RotatingKey) >= 2,
          30_000,
          `a real OSD to fetch rotating keys (mkfs: ${made})`,
        );
        assert.ok(monitor.sessions.every(({ mode: agreed }) => agreed === modeNumbers[mode]));

        const name = parseAuthName('client.admin');
        const session = new CephxSession({ name, key: adminKey, options: monitor.options });
        const client = monitor.all.client({ name: 'client.77', auth: session });
        client.messenger.setDefaultPolicy(Policy.lossyClient());
        const toMon = client.messenger.getConnection(monitor.address, { peerType: EntityType.Mon });
        await untilState(toMon, 'open');
        session.choose(monitor.address);
        const address = EntityAddr.parse(`v2:${ip}:6800/${osd.pid}`);
        const toOsd = client.messenger.getConnection(address, { peerType: EntityType.Osd });
        await untilState(toOsd, 'open');
        assert.is(String(toOsd.peerName), 'osd.0');
        assert.is(toOsd.auth!.connectionMode, modeNumbers[mode]);

        // With a ticket of another cluster of the same name the OSD says EACCES.
        const other = await TicketMonitor.start(transport, mode);
        try {
          const key = other.add('client.admin');
          const foreign = new CephxSession({ name, key, options: monitor.options });
          const stranger = other.all.client({ name: 'client.78', auth: foreign });
          stranger.messenger.setDefaultPolicy(Policy.lossyClient());
          await untilState(
            stranger.messenger.getConnection(other.address, { peerType: EntityType.Mon }),
            'open',
          );
          foreign.choose(other.address);
          const refused = stranger.messenger.getConnection(address, { peerType: EntityType.Osd });
          const cause = await withTimeout(
            new Promise<Error | undefined>((resolve) => {
              refused.on('state', (state, error) => state === 'backoff' && resolve(error));
            }),
            20_000,
            'a refusal',
          );
          assert.match(cause!.message, /the osd refuses the ticket with EACCES \(13\)/);
        } finally {
          await other[Symbol.asyncDispose]();
        }
      }),
    );

    test(
      `the ceph tool with a wrong key is told EACCES (${transport})`,
      limited(60_000, async () => {
        await using monitor = await TicketMonitor.start(transport, 'crc');
        monitor.add('client.admin', true);
        const text = await outputOf(monitor.spawn('ceph', '--connect-timeout', '20', 'status'));
        assert.match(text, /errno 13|Permission denied/i);
        assert.is(monitor.sessions.length, 0);
      }),
    );
  }
}

test.run();
