/**
 * Global ids, each given to one client ever. They are reserved in the store by the thousand before any of
 * them is given, so that a monitor which was killed begins above all that it may have given.
 */
import { ErrorCode, MsgrError } from '../../../errors.ts';

/** Ceph's MIN_GLOBAL_ID. */
const globalIdMin = 4096;
/** Ceph's mon_globalid_prealloc. */
const reservedCount = 10_000;

export class GlobalIds {
  #last: number;
  /** Ids up to here are reserved, durably. */
  #reserved: number;

  /** `reserved`: as the store has it; 0 in a new cluster. */
  constructor(reserved: number) {
    this.#last = Math.max(reserved, globalIdMin);
    this.#reserved = this.#last;
  }

  /** More must be reserved soon. */
  get isLow(): boolean {
    return this.#reserved - this.#last < reservedCount / 2;
  }

  /** @throws MsgrError ERR_MSGR_OVERLOADED when thousands came before more could be reserved. */
  assign(): bigint {
    if (this.#last >= this.#reserved) {
      throw new MsgrError(ErrorCode.Overloaded, 'no global id is reserved; more are being reserved');
    }
    return BigInt(++this.#last);
  }

  /** How far the store must reserve. */
  extend(): number {
    return this.isLow ? this.#last + reservedCount : this.#reserved;
  }

  /** It is durable. */
  committed(reserved: number): void {
    this.#reserved = Math.max(this.#reserved, reserved);
  }
}
