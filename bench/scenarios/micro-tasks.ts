/** The parts that are measured by themselves. Each task is one operation on data that was made before. */
import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { EntityAddr, MOSDPing, OSDPingOp, osdPingPadding, Uuid } from '../../src/index.ts';
import { loadNative, nativeAvailable } from '../../src/native.ts';
import { crc32c, segmentCrcSeed } from '../../src/wire/crc32c.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import { Encoder } from '../../src/wire/encoder.ts';
import { decodeEntityAddr, encodeEntityAddr } from '../../src/wire/entity-addr.ts';
import { emptyBytes, type FrameMessage, writeMessageCrcs, writeMessageFrame } from '../../src/wire/frame.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';

export interface MicroTask {
  readonly name: string;
  readonly implementation: string;
  /** Payload that one operation goes over; 0 where bytes are not the point. */
  readonly bytes: number;
  readonly run: () => void;
}

const typescript = 'TypeScript';
const sizes = [
  [64, '64 B'],
  [4096, '4 KiB'],
  [65_536, '64 KiB'],
] as const;

export function microTasks(): MicroTask[] {
  return [...checksums(), ...ciphers(), ...codecs(), ...frames()];
}

function checksums(): MicroTask[] {
  const native = nativeAvailable() ? loadNative() : undefined;
  return sizes.flatMap(([bytes, word]) => {
    const data = Buffer.alloc(bytes, 0x5a);
    const name = `CRC-32C of ${word}`;
    const own = { name, implementation: typescript, bytes, run: () => void crc32c(segmentCrcSeed, data) };
    if (native === undefined) return [own];
    const over = () => void native.crc32c(segmentCrcSeed, data);
    return [own, { name, implementation: 'native, over the border', bytes, run: over }];
  });
}

/** As `simple` uses them; the core's own calls of the same OpenSSL are in its own figures. */
function ciphers(): MicroTask[] {
  const key = createSecretKey(Buffer.alloc(16, 1));
  const nonce = Buffer.alloc(12);
  return sizes.flatMap(([bytes, word]) => {
    const plain = Buffer.alloc(bytes, 0x5a);
    const cipher = createCipheriv('aes-128-gcm', key, nonce);
    const sealed = cipher.update(plain);
    cipher.final();
    const tag = cipher.getAuthTag();
    const seal = () => {
      const sealer = createCipheriv('aes-128-gcm', key, nonce);
      sealer.update(plain);
      sealer.final();
      sealer.getAuthTag();
    };
    const open = () => {
      const opener = createDecipheriv('aes-128-gcm', key, nonce);
      opener.setAuthTag(tag);
      opener.update(sealed);
      opener.final();
    };
    const implementation = 'node:crypto';
    return [
      { name: `AES-128-GCM, seal ${word}`, implementation, bytes, run: seal },
      { name: `AES-128-GCM, open ${word}`, implementation, bytes, run: open },
    ];
  });
}

function codecs(): MicroTask[] {
  const addr = EntityAddr.parse('v2:127.0.0.1:6800/4711');
  const addrBytes = encoded((encoder) => encodeEntityAddr(encoder, addr));
  const stamp = { sec: 12, nsec: 34 };
  const body: MOSDPing = {
    fsid: Uuid.parse('3e1f8f2a-5d0c-4a4e-9f37-6d2b1c0a9e88'),
    mapEpoch: 10,
    op: OSDPingOp.Ping,
    pingStamp: stamp,
    paddingBytes: osdPingPadding(2000),
    upFrom: 5,
    monoPingStamp: stamp,
    monoSendStamp: stamp,
  };
  const ping = MOSDPing.encode(body);
  const task = (name: string, run: () => void): MicroTask => ({
    name,
    implementation: typescript,
    bytes: 0,
    run,
  });
  return [
    task('encode entity_addr_t', () => void encoded((encoder) => encodeEntityAddr(encoder, addr))),
    task('decode entity_addr_t', () => void decodeEntityAddr(new Decoder(addrBytes), 'addr')),
    task('encode MOSDPing, 2000 B', () => void MOSDPing.encode(body)),
    task('decode MOSDPing, 2000 B', () => void MOSDPing.decode(ping)),
  ];
}

/** One MESSAGE frame with its checksums, written to memory and read from it. */
function frames(): MicroTask[] {
  return sizes.slice(0, 2).flatMap(([bytes, word]) => {
    const memory = Buffer.allocUnsafeSlow(bytes + 1024);
    const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    const message: FrameMessage = {
      type: 70,
      priority: 127,
      version: 1,
      compatVersion: 1,
      tidLow: 0,
      tidHigh: 0,
      front: emptyBytes,
      middle: emptyBytes,
      data: Buffer.alloc(bytes, 0x5a),
    };
    const write = (): number => {
      const end = writeMessageFrame(memory, view, 0, message, 1, 0, 0, 0);
      writeMessageCrcs(memory, view, 0, end, undefined, undefined);
      return end;
    };
    const written = Buffer.from(memory.subarray(0, write()));
    const reader = new FrameReader();
    const read = () => {
      reader.push(written);
      if (!reader.next()) throw new Error('the frame is not whole');
    };
    return [
      { name: `write MESSAGE, ${word}`, implementation: typescript, bytes, run: () => void write() },
      { name: `read MESSAGE, ${word}`, implementation: typescript, bytes, run: read },
    ];
  });
}

function encoded(write: (encoder: Encoder) => void): Buffer {
  const encoder = new Encoder(256);
  write(encoder);
  return encoder.take();
}
