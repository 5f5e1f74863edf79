/**
 * The judge of cephx: handshakes of a real cluster (Ceph 16.2.15, keys of type aes) played again with our
 * code as the connector, as a daemon's acceptor and as the monitor. Runs over the recordings in the
 * repository, and over all recordings where they are at hand.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sealTicketInfo, unsealTicketInfo } from '../../../src/auth/cephx/auth-ticket.ts';
import { CryptoKey } from '../../../src/auth/cephx/crypto-key.ts';
import type { CephxSession } from '../../../src/auth/cephx/session.ts';
import { Keyring } from '../../../src/auth/keyring.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { Tag } from '../../../src/wire/frames/tag.ts';
import { messageHeaderFromBytes } from '../../../src/wire/message-header.ts';
import { cephMessages } from '../../../src/wire/messages/ceph-messages.ts';
import { MAuth } from '../../../src/wire/messages/m-auth.ts';
import { MAuthReply } from '../../../src/wire/messages/m-auth-reply.ts';
import { MessageRegistry } from '../../../src/wire/messages/registry.ts';
import { utimeToMs } from '../../../src/wire/utime.ts';
import { allCaptures } from '../../support/captures.ts';
import { type OpenedFrame, recordedConnections } from '../support/recorded-connection.ts';
import { Replay, readRequest } from '../support/replay.ts';

const fixtureHandshakes = join(dirname(fileURLToPath(import.meta.url)), '../../fixtures/handshakes');
const registry = new MessageRegistry(cephMessages);

interface Counts {
  /** Connections of the folder; those that ended before AUTH_DONE are in `unfinished`. */
  connections: number;
  unfinished: string[];
  /** Our code as the connector, every byte and both signatures. */
  toMon: number;
  toDaemon: number;
  /** Of `toMon`: with the AUTH ticket of an earlier session. */
  reclaims: number;
  /** Our code as the daemon that accepts: every byte and both signatures. */
  asDaemon: number;
  /** Our code as the monitor that takes the proof. */
  asMon: number;
  /** MAuthReply with rotating keys, opened and held. */
  rotating: number;
  /** Signatures of both directions, over both ways of playing. */
  signatures: number;
  tickets: number;
  frames: number;
  messages: number;
  /** Of types that have no codec. */
  rawMessages: number;
}

/** Every frame is opened; every message decodes. */
function readFrames(frames: readonly OpenedFrame[], counts: Counts): { type: number; front: Buffer }[] {
  const messages: { type: number; front: Buffer }[] = [];
  for (const { tag, payload, front, middle, data } of frames) {
    counts.frames++;
    if (tag !== Tag.Message) continue;
    counts.messages++;
    const header = messageHeaderFromBytes(payload);
    messages.push({ type: header.type, front });
    const type = registry.get(header.type);
    if (type === undefined) counts.rawMessages++;
    else type.decode({ ...header, front, middle, data });
  }
  return messages;
}

/** The session's requests inside the connection: what we would ask is what was asked. */
function playRequests(
  session: CephxSession,
  now: number,
  asked: { type: number; front: Buffer }[],
  answered: { type: number; front: Buffer }[],
  where: string,
): number {
  const requests = asked.filter(({ type }) => type === MAuth.type);
  const replies = answered.filter(({ type }) => type === MAuthReply.type);
  for (const [index, { front }] of replies.entries()) {
    const request = MAuth.decode({ ...blank, front: requests[index]!.front });
    assert.equal(session.nextRequest(now), Buffer.from(request.payload), `${where}: MAuth`);
    session.handleReply(MAuthReply.decode({ ...blank, front }));
    assert.ok(session.isComplete, where);
  }
  return replies.length;
}

const blank = { version: 1, compatVersion: 1, middle: Buffer.alloc(0), data: Buffer.alloc(0) };

function play(root: string, folder: string): Counts {
  const keyring = Keyring.load([join(root, folder, 'keyring')]);
  // Key creation tells when the recording began; its tickets are good for an hour and longer.
  const began = utimeToMs(keyring.get(keyring.names()[0]!)!.key.created);
  const now = began + 5 * 60_000;
  const { connections, unfinished } = recordedConnections(root, folder);
  const replay = new Replay(keyring, folder === 'cephx-secure' ? 'secure' : 'crc', () => now);
  const counts: Counts = {
    connections: connections.length + unfinished.length,
    unfinished,
    toMon: 0,
    toDaemon: 0,
    reclaims: 0,
    asDaemon: 0,
    asMon: 0,
    rotating: 0,
    signatures: 0,
    tickets: 0,
    frames: 0,
    messages: 0,
    rawMessages: 0,
  };
  for (const connection of connections) {
    const request = readRequest(connection);
    const oldSessionKey = request.to === 'mon' ? replay.authSessionKey(request.globalId) : undefined;
    const { fromConnector, fromAcceptor, signatures } = replay.playConnector(connection);
    counts.signatures += signatures;
    const asked = readFrames(fromConnector, counts);
    const answered = readFrames(fromAcceptor, counts);
    if (request.to === 'daemon') {
      counts.toDaemon++;
      continue;
    }
    counts.toMon++;
    replay.reencodeAnswer(connection, oldSessionKey);
    const session = [...replay.sessions.values()].at(-1)!;
    const fetched = playRequests(session, now, asked, answered, connection.where);
    counts.rotating += fetched;
    if (fetched > 0) replay.daemonSnapshot = session.snapshot();
    const taken = replay.playMon(connection);
    if (request.globalId === 0n) {
      assert.is(taken.kind, 'done', connection.where);
      counts.asMon++;
    } else {
      // Its AUTH ticket is sealed with a secret that only the recorded monitor had.
      assert.is(taken.kind, 'refused', connection.where);
      counts.reclaims++;
    }
  }
  for (const connection of connections) {
    if (readRequest(connection).to !== 'daemon') continue;
    counts.signatures += replay.playDaemon(connection).signatures;
    counts.asDaemon++;
  }
  counts.tickets = openTickets(replay);
  return counts;
}

/** The tickets for OSDs, opened with the rotating keys and sealed again: byte for byte the same. */
function openTickets(replay: Replay): number {
  let opened = 0;
  const secrets = replay.daemonSnapshot!.rotating!.secrets;
  for (const session of replay.sessions.values()) {
    for (const { service, secretId, blob, sessionKey } of session.snapshot().tickets) {
      if (service !== EntityType.Osd) continue;
      const { type, created, secret } = secrets.find(({ id }) => id === secretId)!.key;
      const key = new CryptoKey(type, created, secret);
      const info = unsealTicketInfo(key, blob);
      assert.is(info.ticket.globalId, session.globalId);
      assert.ok(info.sessionKey.secret.equals(sessionKey.secret));
      assert.is(sealTicketInfo(key, info).toString('hex'), Buffer.from(blob).toString('hex'));
      opened++;
    }
  }
  return opened;
}

function print(title: string, counts: Counts): void {
  console.log(`\n  ${title}: ${JSON.stringify({ ...counts, unfinished: counts.unfinished.length })}`);
  if (counts.unfinished.length > 0)
    console.log(`    before AUTH_DONE ended: ${counts.unfinished.join(', ')}`);
}

/** What the recordings are known to hold: a reader that skipped some would be found out. */
const expected = {
  fixtures: {
    'cephx-crc': { connections: 4, unfinished: 0, toMon: 2, toDaemon: 2, reclaims: 0, rotating: 1 },
    'cephx-secure': { connections: 5, unfinished: 0, toMon: 3, toDaemon: 2, reclaims: 1, rotating: 1 },
  },
  all: {
    'cephx-crc': { connections: 99, unfinished: 2, toMon: 63, toDaemon: 34, reclaims: 2, rotating: 10 },
    'cephx-secure': { connections: 101, unfinished: 4, toMon: 62, toDaemon: 35, reclaims: 1, rotating: 9 },
  },
};

for (const [set, root] of [
  ['fixtures', fixtureHandshakes],
  ['all', allCaptures],
] as const) {
  for (const folder of ['cephx-crc', 'cephx-secure'] as const) {
    if (root === undefined) continue;
    test(`the handshakes of ${folder} (${set}), played from both ends`, () => {
      const counts = play(root, folder);
      print(`${set} of ${folder}`, counts);
      const { connections, unfinished, toMon, toDaemon, reclaims, asDaemon, asMon, rotating } = counts;
      const seen = { connections, unfinished: unfinished.length, toMon, toDaemon, reclaims, rotating };
      assert.equal(seen, expected[set][folder]);
      assert.is(asDaemon, toDaemon);
      assert.is(asMon, toMon - reclaims);
    });
  }
}

test.run();
