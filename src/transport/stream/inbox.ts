/**
 * What a channel knows of the messages it received: the last sequence number, and how much of that the
 * peer was told. Sequence numbers are u64 in two halves; a peer may use all of them.
 */
export class Inbox {
  /** Seq of the last message received; 0 at first. */
  seqLow = 0;
  seqHigh = 0;
  #toldLow = 0;
  #toldHigh = 0;

  get seq(): bigint {
    return (BigInt(this.seqHigh) << 32n) | BigInt(this.seqLow);
  }

  /** True when something was received that no frame to the peer has acknowledged. */
  get untold(): boolean {
    return this.seqLow !== this.#toldLow || this.seqHigh !== this.#toldHigh;
  }

  /**
   * Notes a message's sequence number; false when it was received before. A gap is accepted, as Ceph does:
   * what is missing was dropped by a peer that forgot it.
   */
  accept(seqLow: number, seqHigh: number): boolean {
    if (seqHigh < this.seqHigh || (seqHigh === this.seqHigh && seqLow <= this.seqLow)) return false;
    this.seqLow = seqLow;
    this.seqHigh = seqHigh;
    return true;
  }

  /** A frame carries the present seq to the peer. */
  told(): void {
    this.#toldLow = this.seqLow;
    this.#toldHigh = this.seqHigh;
  }

  reset(): void {
    this.seqLow = 0;
    this.seqHigh = 0;
    this.told();
  }
}
