/**
 * A man in the middle changes one bit of anything that is said before AUTH_SIGNATURE, with its checksum made
 * right again: one of the two ends notices, so that no session begins on what was altered. Up to there only
 * checksums protect the bytes, and AUTH_SIGNATURE over the transcript is what finds it out.
 *
 * @timeLimitSeconds 300
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthClient, AuthServer } from '../../../src/auth/auth.ts';
import { KeyType } from '../../../src/auth/cephx/key-type.ts';
import { MsgrError } from '../../../src/errors.ts';
import { AcceptorHandshake } from '../../../src/protocol/acceptor-handshake.ts';
import { ConnectorHandshake } from '../../../src/protocol/connector-handshake.ts';
import type { Handshake, HandshakeAction } from '../../../src/protocol/handshake.ts';
import { EntityAddr } from '../../../src/wire/entity-addr.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { assembleControlFrame } from '../../../src/wire/frame.ts';
import { CephxWorld, keyTypes, monAddr } from '../support/cephx-world.ts';

const { Client, Mon, Osd } = EntityType;
const preambleBytes = 32;
const bannerHeadBytes = 10;
const addr = EntityAddr.parse('v2:127.0.0.1:6800/7');

/** What one end says before it signs: the banner, or a frame's payload. */
interface Said {
  readonly from: 'connector' | 'acceptor';
  readonly bytes: Buffer;
}

/** Changes what is said, or not; `index` counts over both ends. */
type Tamper = (said: Said, index: number) => Buffer;

interface End {
  readonly handshake: Handshake;
  readonly inbox: Buffer[];
  isAuthenticated: boolean;
  expectsBytes: number;
  hasFailed: boolean;
}

/** Runs both machines on each other; answers whether both believe to be authenticated. */
function meet(client: AuthClient, peerType: number, makeAuth: () => AuthServer, tamper: Tamper): boolean {
  const end = (handshake: Handshake): End => ({
    handshake,
    inbox: [],
    isAuthenticated: false,
    expectsBytes: 0,
    hasFailed: false,
  });
  const connector = end(new ConnectorHandshake({ entityType: Client, peerAddr: addr }, peerType, client));
  const acceptor = end(new AcceptorHandshake({ entityType: peerType, peerAddr: addr }, makeAuth));
  let index = 0;
  const run = (self: End, peer: End, actions: readonly HandshakeAction[]): void => {
    const from = self === connector ? 'connector' : 'acceptor';
    for (const action of actions) {
      if (action.kind === 'sendBytes') {
        const bytes = Buffer.from(action.bytes);
        if (bytes.byteLength < preambleBytes) {
          peer.inbox.push(tamper({ from, bytes }, index++));
        } else {
          const payload = bytes.subarray(preambleBytes, preambleBytes + bytes.readUInt32LE(2));
          const changed = tamper({ from, bytes: Buffer.from(payload) }, index++);
          peer.inbox.push(assembleControlFrame(bytes[0]!, changed));
        }
      } else if (action.kind === 'sendControl') {
        // In secure mode this one is sealed: nobody in the middle can change it.
        peer.inbox.push(assembleControlFrame(action.tag, action.payload));
      } else if (action.kind === 'expectBytes') self.expectsBytes = action.count;
      else if (action.kind === 'expectFrame') self.expectsBytes = 0;
      else if (action.kind === 'authenticated') self.isAuthenticated = true;
    }
  };
  const read = (self: End, peer: End): boolean => {
    const next = self.inbox[0];
    if (next === undefined || self.hasFailed || self.isAuthenticated) return false;
    try {
      if (self.expectsBytes > 0) {
        const { expectsBytes } = self;
        if (next.byteLength < expectsBytes) throw new Error('a banner that ends too early');
        run(self, peer, self.handshake.bytes(next.subarray(0, expectsBytes)));
        if (expectsBytes === bannerHeadBytes) self.inbox[0] = next.subarray(bannerHeadBytes);
        else self.inbox.shift();
      } else {
        self.inbox.shift();
        const payload = next.subarray(preambleBytes, preambleBytes + next.readUInt32LE(2));
        run(self, peer, self.handshake.frame(next[0]!, payload, next));
      }
    } catch (error) {
      if (!(error instanceof MsgrError) && !/too early/.test(String(error))) throw error;
      self.hasFailed = true;
    }
    return true;
  };
  run(connector, acceptor, connector.handshake.start());
  run(acceptor, connector, acceptor.handshake.start());
  while (read(connector, acceptor) || read(acceptor, connector));
  return connector.isAuthenticated && acceptor.isAuthenticated;
}

const untouched: Tamper = ({ bytes }) => bytes;

for (const keyType of keyTypes) {
  for (const mode of ['crc', 'secure'] as const) {
    for (const peer of ['mon', 'mon again', 'osd'] as const) {
      // The transcript is signed in the same way whatever the key: every bit of one kind, some of the other.
      const stride = keyType === KeyType.Aes256k ? 1 : 7;
      test(`${stride === 1 ? 'every bit' : `every ${stride}th bit`} that is said to or by a ${peer}, in mode ${mode} (keys of type ${keyType})`, () => {
        const options = { ms_mon_client_mode: mode, ms_mon_service_mode: mode, ms_client_mode: mode };
        const world = new CephxWorld({ keyType, options: { ...options, ms_service_mode: mode } });
        const member = world.member('client.a');
        const osd = world.member('osd.3');
        // A session that was refused once does not ask in the same way again.
        const newcomer = () => (peer === 'mon' ? world.session('client.a') : world.member('client.a'));
        const attempt = (tamper: Tamper): boolean =>
          peer === 'osd'
            ? meet(member.client(Osd), Osd, () => osd.server(Client), tamper)
            : meet(newcomer().client(Mon, monAddr), Mon, () => world.mon.server(Client), tamper);
        const said: Said[] = [];
        const isLetIn = attempt((what) => {
          said.push(what);
          return what.bytes;
        });
        assert.ok(isLetIn);
        let bits = 0;
        for (const [index, { bytes }] of said.entries()) {
          for (let bit = 0; bit < bytes.byteLength * 8; bit += stride) {
            const isFooled = attempt((what, at) => {
              if (at !== index || bit >= what.bytes.byteLength * 8) return what.bytes;
              const changed = Buffer.from(what.bytes);
              changed[bit >> 3]! ^= 1 << (bit & 7);
              return changed;
            });
            assert.not.ok(isFooled, `message ${index} of the ${said[index]!.from}, bit ${bit}`);
            bits++;
          }
        }
        assert.ok(attempt(untouched));
        console.log(`\n  ${peer}, ${mode}, key type ${keyType}: ${bits} bits of ${said.length} messages`);
      });
    }
  }
}

test.run();
