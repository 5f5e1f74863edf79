/**
 * Whatever a peer says costs that one connection: every tag in every state, every truncation, lengths of
 * every size, silence. The process and a healthy connection go on.
 *
 * @timeLimitSeconds 300
 */
import { readdirSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Message, type Messenger, Policy } from '../../src/index.ts';
import type { Connection } from '../../src/messenger/connection.ts';
import { crc32c } from '../../src/wire/crc32c.ts';
import { assembleControlFrame, assembleMessageFrame } from '../../src/wire/frame.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { HostilePeer, type HostileStage } from '../support/hostile-peer.ts';
import { Messengers, type Recorder, testTransports } from '../support/messengers.ts';
import { limited, waitUntil } from '../support/timeout.ts';

const type = 0x77;

/** A server, and a healthy client that proves after each attack that the rest goes on. */
async function makeVictim(
  all: Messengers,
  options: Record<string, number> = {},
): Promise<{ messenger: Messenger; recorder: Recorder; prove: () => Promise<void> }> {
  const { messenger, recorder } = await all.server({ name: 'osd.0', options });
  messenger.setDefaultPolicy(Policy.statelessServer());
  recorder.onMessage = (message) => message.reply(new Message({ type, data: message.data }));
  const client = all.client({ name: 'client.1' });
  client.messenger.setDefaultPolicy(Policy.lossyClient());
  const healthy: Connection = client.messenger.getConnection(messenger.myAddrs);
  let count = 0;
  const prove = async (): Promise<void> => {
    const reply = await healthy.request(new Message({ type, data: Buffer.from(`${count++}`) }), {
      timeoutMs: 10_000,
    });
    assert.is(reply.data.toString(), `${count - 1}`);
    assert.equal(client.recorder.events, ['connect'], 'the healthy connection was never disturbed');
  };
  await prove();
  return { messenger, recorder, prove };
}

/** A preamble with these lengths and a right CRC. */
function preamble(tag: number, lengths: number[]): Buffer {
  const bytes = Buffer.alloc(32);
  bytes[0] = tag;
  bytes[1] = lengths.length;
  for (const [index, length] of lengths.entries()) {
    bytes.writeUInt32LE(length, 2 + 6 * index);
    bytes.writeUInt16LE(8, 6 + 6 * index);
  }
  bytes.writeUInt32LE(crc32c(0, bytes.subarray(0, 28)), 28);
  return bytes;
}

function messageFrame(data: Buffer): Buffer {
  const header = {
    seq: 1n,
    tid: 0n,
    type,
    priority: 127,
    version: 1,
    dataPrePaddingLength: 0,
    dataOffset: 0,
    ackSeq: 0n,
    flags: 3,
    compatVersion: 1,
    reserved: 0,
  };
  return Buffer.concat(assembleMessageFrame(header as never, Buffer.alloc(0), Buffer.alloc(0), data));
}

const inSession: ReadonlySet<number> = new Set([Tag.Message, Tag.Keepalive2, Tag.Keepalive2Ack, Tag.Ack]);

for (const transport of testTransports()) {
  test(
    `${transport}: every tag in every state of an accepted stream`,
    limited(120_000, async () => {
      await using all = new Messengers(transport);
      const { messenger, prove } = await makeVictim(all);
      const target = messenger.myAddrs.front!;
      let cells = 0;
      for (const stage of ['authenticated', 'session'] as HostileStage[]) {
        for (let tag = 0; tag < 256; tag += tag < 24 ? 1 : 8) {
          if (stage === 'session' && inSession.has(tag)) continue;
          const peer = await HostilePeer.reach(target, stage);
          // The payload is garbage for every frame that has one.
          peer.write(assembleControlFrame(tag, Buffer.alloc(9, 0xee)));
          await peer.closed();
          cells++;
        }
      }
      await prove();
      assert.ok(cells > 90, `${cells} cells`);
      assert.is(messenger.counters().connections, 1, 'only the healthy connection is left');
    }),
  );

  test(
    `${transport}: frames of the session cut after every byte, with a right CRC where there is one`,
    limited(120_000, async () => {
      await using all = new Messengers(transport);
      const { messenger, recorder, prove } = await makeVictim(all);
      const target = messenger.myAddrs.front!;
      const before = recorder.messages.length;
      const frame = messageFrame(Buffer.from('a short message'));
      for (let cut = 0; cut < frame.byteLength; cut += 3) {
        const peer = await HostilePeer.reach(target, 'session');
        peer.write(frame.subarray(0, cut));
        peer.socket.end();
        await peer.closed();
      }
      const whole = await HostilePeer.reach(target, 'session');
      whole.write(frame);
      await recorder.untilMessages(before + 1);
      assert.is(recorder.messages.length, before + 1, 'only the whole frame is a message');
      whole.destroy();
      await prove();
    }),
  );

  test(
    `${transport}: declared lengths are not believed, and what is allowed is not allocated before it comes`,
    limited(60_000, async () => {
      await using all = new Messengers(transport);
      const { messenger, prove } = await makeVictim(all);
      const target = messenger.myAddrs.front!;
      const lengths = [0x7fffffff, 0x80000000, 0xffffffff];
      for (const length of lengths) {
        for (const segments of [
          [41, length],
          [41, 1, length],
          [41, 1, 1, length],
          [length],
          [40, 8],
          [42, 8],
        ]) {
          const peer = await HostilePeer.reach(target, 'session');
          peer.write(preamble(Tag.Message, segments));
          await peer.closed();
        }
        const peer = await HostilePeer.reach(target, 'authenticated');
        peer.write(preamble(Tag.ClientIdent, [length]));
        await peer.closed();
      }
      await prove();
      globalThis.gc?.();
      const residentBefore = process.memoryUsage.rss();
      const peers: HostilePeer[] = [];
      for (let index = 0; index < 40; index++) {
        const peer = await HostilePeer.reach(target, 'session');
        peer.write(preamble(Tag.Message, [41, 0, 0, 200 * 1024 * 1024]));
        peer.write(Buffer.alloc(64 * 1024));
        peers.push(peer);
      }
      await prove();
      const grown = process.memoryUsage.rss() - residentBefore;
      assert.ok(
        grown < 200 * 1024 * 1024,
        `8 GB declared by 40 peers: ${Math.round(grown / 1e6)} MB more are resident`,
      );
      for (const peer of peers) peer.destroy();
      await prove();
    }),
  );

  test(
    `${transport}: 500 half-open connections end at ms_connection_ready_timeout and give their descriptors back`,
    limited(60_000, async () => {
      await using all = new Messengers(transport);
      const { messenger, prove } = await makeVictim(all, { ms_connection_ready_timeout: 1 });
      const target = messenger.myAddrs.front!;
      const descriptors = (): number => readdirSync('/proc/self/fd').length;
      const before = descriptors();
      const peers: HostilePeer[] = [];
      const banner = Buffer.from('ceph v2\n');
      for (let index = 0; index < 500; index++) {
        const peer = await HostilePeer.reach(target, index % 5 === 0 ? 'authenticated' : 'connected');
        // Silent, or a byte of the banner now and then.
        if (index % 2 === 0 && index % 5 !== 0) peer.write(banner.subarray(0, index % 8));
        peers.push(peer);
      }
      await prove();
      await Promise.all(peers.map((peer) => peer.closed()));
      assert.is(messenger.counters().acceptFailures >= 500, true, `${messenger.counters().acceptFailures}`);
      await prove();
      await waitUntil(() => descriptors() <= before, 10_000, 'the descriptors');
    }),
  );

  test(
    `${transport}: a slow consumer stops the reading, the sender is told, and memory stays within the throttle`,
    limited(60_000, async () => {
      await using all = new Messengers(transport);
      const throttleBytes = 8 * 1024 * 1024;
      const server = await all.server({
        name: 'osd.0',
        options: { ms_dispatch_throttle_bytes: throttleBytes },
      });
      const client = all.client({ name: 'client.1' });
      const held: Array<() => void> = [];
      server.recorder.onMessage = (message) => held.push(message.connection.hold(message.byteLength));
      const connection = client.messenger.getConnection(server.messenger.myAddrs);
      const data = Buffer.alloc(50_000, 3);
      let sent = 0;
      // Until nothing moves for a while: the receiver's throttle, the socket's buffers and our mark are full.
      for (let idle = 0; idle < 20; ) {
        const sentBefore = sent;
        while (connection.queuedBytes < 1 << 20 && sent < 4000) {
          connection.send(new Message({ type, data }));
          sent++;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
        idle = sent === sentBefore ? idle + 1 : 0;
      }
      assert.ok(sent < 4000, 'the sender was never told to stop');
      const received = server.recorder.messages.length * data.byteLength;
      assert.ok(
        received <= throttleBytes * 1.2 + (2 << 20),
        `${received} bytes are in dispatch, ${throttleBytes} allowed`,
      );
      for (const release of held.splice(0)) release();
      server.recorder.onMessage = undefined;
      await server.recorder.untilMessages(sent);
    }),
  );
}

test.run();
