/** What OSDs said of themselves when they booted (`ceph osd metadata`), kept beside the map: store `osd_metadata` / ID. */
import { decodeTextMap, encodeTextMap } from '../../../maps/fields.ts';
import { Decoder } from '../../../wire/decoder.ts';
import { Encoder } from '../../../wire/encoder.ts';
import type { MonStore, StoreTransaction } from '../store/mon-store.ts';

const prefix = 'osd_metadata';

export class OsdMetadata {
  readonly #store: MonStore;
  readonly #pending = new Map<number, ReadonlyMap<string, string>>();

  constructor(store: MonStore) {
    this.#store = store;
  }

  /** Of the last boot that was committed. */
  of(osd: number): ReadonlyMap<string, string> | undefined {
    const bytes = this.#store.get(prefix, String(osd));
    return bytes && decodeTextMap(new Decoder(bytes, `osd.${osd}`), 'metadata');
  }

  set(osd: number, metadata: ReadonlyMap<string, string>): void {
    this.#pending.set(osd, metadata);
  }

  propose(transaction: StoreTransaction): void {
    for (const [osd, metadata] of this.#pending) {
      const encoder = new Encoder();
      encodeTextMap(encoder, metadata);
      transaction.put(prefix, String(osd), encoder.take());
    }
    this.#pending.clear();
  }

  /** Of an OSD that ceased to exist. */
  remove(transaction: StoreTransaction, osd: number): void {
    this.#pending.delete(osd);
    if (this.#store.get(prefix, String(osd)) !== undefined) transaction.erase(prefix, String(osd));
  }
}
