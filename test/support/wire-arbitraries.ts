/** fast-check's generators of what is on the wire: any value that the encoders accept. */
import fc from 'fast-check';
import { AddrType, EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityAddrVec } from '../../src/wire/entity-addrvec.ts';
import { Uuid } from '../../src/wire/uuid.ts';

export const u8 = fc.integer({ min: 0, max: 0xff });
export const u32 = fc.integer({ min: 0, max: 0xffffffff });
export const i32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
export const u64 = fc.bigInt({ min: 0n, max: 0xffffffffffffffffn });
export const utime = fc.record({ sec: u32, nsec: u32 });
export const signedspan = fc.record({ sec: i32, nsec: i32 });
export const bytes = fc.uint8Array({ maxLength: 64 }).map((value) => Buffer.from(value));
export const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((value) => Uuid.fromBytes(value));

const host = fc.oneof(fc.ipV4(), fc.ipV6());
export const entityAddr = fc
  .record({
    type: fc.constantFrom(AddrType.Legacy, AddrType.Msgr2, AddrType.Any),
    nonce: u32,
    host,
    port: fc.integer({ min: 0, max: 0xffff }),
  })
  .map((init) => new EntityAddr(init));
export const entityAddrVec = fc.array(entityAddr, { maxLength: 4 }).map((addrs) => new EntityAddrVec(addrs));
