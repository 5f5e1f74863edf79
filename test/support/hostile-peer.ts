/**
 * A peer of the test's own making on a plain socket: it knows the protocol as far as it is told to go, and
 * then says what it likes.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { authNone } from '../../src/auth/none.ts';
import { ConnectorHandshake } from '../../src/protocol/connector-handshake.ts';
import type { HandshakeAction } from '../../src/protocol/handshake.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityAddrVec } from '../../src/wire/entity-addrvec.ts';
import { EntityAuthName, EntityType } from '../../src/wire/entity-name.ts';
import { supportedDefault } from '../../src/wire/features.ts';
import { assembleControlFrame } from '../../src/wire/frame.ts';
import { clientIdentFrame, IdentFlag } from '../../src/wire/frames/client-ident.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { withTimeout } from './timeout.ts';

const preambleBytes = 32;
let lastPort = 1;

/** `connected`: not a byte was sent; `authenticated`: AUTH_SIGNATUREs exchanged; `session`: SERVER_IDENT read. */
export type HostileStage = 'connected' | 'authenticated' | 'session';

export class HostilePeer {
  readonly socket: Socket;
  isClosed = false;
  readonly #handshake: ConnectorHandshake;
  #inbox = Buffer.alloc(0);
  #expected: 'frame' | number = 0;
  #onFrame: (tag: number) => void = () => {};
  #isAuthenticated = false;

  private constructor(target: EntityAddr) {
    this.socket = connect(target.port, target.host);
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
    });
    const auth = authNone(EntityAuthName.parse('client.hostile'));
    this.#handshake = new ConnectorHandshake(
      { entityType: EntityType.Client, peerAddr: target },
      EntityType.Any,
      auth.client(EntityType.Osd),
    );
  }

  /** `sharesMemory`: its ident says that it can go on through shared memory. */
  static async reach(target: EntityAddr, stage: HostileStage, sharesMemory = false): Promise<HostilePeer> {
    const peer = new HostilePeer(target);
    await withTimeout(once(peer.socket, 'connect'), 10_000, 'a hostile connect');
    if (stage === 'connected') {
      // Without a reader the other side's close would never be seen.
      peer.socket.resume();
      return peer;
    }
    await withTimeout(peer.#authenticate(), 10_000, 'a hostile handshake');
    if (stage === 'session')
      await withTimeout(peer.#identify(target, sharesMemory), 10_000, 'a hostile session');
    return peer;
  }

  write(bytes: Uint8Array): void {
    if (!this.isClosed) this.socket.write(bytes);
  }

  /** Resolves when the other side has closed. */
  async closed(): Promise<void> {
    if (!this.isClosed) await withTimeout(once(this.socket, 'close'), 10_000, 'the close of a hostile peer');
  }

  destroy(): void {
    this.socket.destroy();
  }

  #authenticate(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.on('data', (chunk) => {
        this.#inbox = Buffer.concat([this.#inbox, chunk]);
        this.#drain(resolve);
      });
      this.#run(this.#handshake.start());
    });
  }

  #identify(target: EntityAddr, sharesMemory: boolean): Promise<void> {
    const addr = new EntityAddr({ type: 2, host: '127.0.0.1', port: lastPort++ & 0xffff, nonce: lastPort });
    return new Promise((resolve) => {
      this.#onFrame = (tag) => tag === Tag.ServerIdent && resolve();
      this.write(
        assembleControlFrame(
          Tag.ClientIdent,
          clientIdentFrame.encode({
            addrs: new EntityAddrVec([addr]),
            targetAddr: target,
            gid: 1n,
            globalSeq: 1n,
            featuresSupported: supportedDefault,
            featuresRequired: 0n,
            flags: IdentFlag.Lossy | (sharesMemory ? IdentFlag.SharedMemory : 0n),
            clientCookie: 0n,
          }),
        ),
      );
    });
  }

  #run(actions: HandshakeAction[]): void {
    for (const action of actions) {
      if (action.kind === 'sendBytes') this.write(action.bytes);
      else if (action.kind === 'sendControl') this.write(assembleControlFrame(action.tag, action.payload));
      else if (action.kind === 'expectBytes') this.#expected = action.count;
      else if (action.kind === 'expectFrame') this.#expected = 'frame';
      else if (action.kind === 'authenticated') this.#isAuthenticated = true;
    }
  }

  #drain(onAuthenticated: () => void): void {
    for (;;) {
      const size = this.#nextSize();
      if (size === 0 || this.#inbox.byteLength < size) return;
      const raw = this.#inbox.subarray(0, size);
      this.#inbox = this.#inbox.subarray(size);
      if (this.#isAuthenticated) {
        this.#onFrame(raw[0]!);
      } else {
        if (this.#expected !== 'frame') this.#run(this.#handshake.bytes(raw));
        else this.#run(this.#handshake.frame(raw[0]!, raw.subarray(preambleBytes, size - 4), raw));
        if (this.#isAuthenticated) onAuthenticated();
      }
    }
  }

  #nextSize(): number {
    if (this.#expected !== 'frame') return this.#expected;
    if (this.#inbox.byteLength < preambleBytes) return preambleBytes;
    const length = this.#inbox.readUInt32LE(2);
    return preambleBytes + (length === 0 ? 0 : length + 4);
  }
}
