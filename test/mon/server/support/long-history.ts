/** A store with many epochs, written as the monitor writes them, many to a transaction. */

import { OsdMapEpochs } from '../../../../src/mon/server/osdmap/osd-map-epochs.ts';
import type { MonStore } from '../../../../src/mon/server/store/mon-store.ts';
import { StoreTransaction } from '../../../../src/mon/server/store/mon-store.ts';

const epochsPerTransaction = 500;

/** Adds epochs to a store that a monitor began, up to `last`; only flags change in them. */
export async function addEpochs(store: MonStore, last: number): Promise<void> {
  const maps = new OsdMapEpochs(store);
  const noscrub = 1 << 11;
  for (let epoch = maps.lastCommitted + 1; epoch <= last; ) {
    const transaction = new StoreTransaction();
    const applied: (() => void)[] = [];
    for (let count = 0; count < epochsPerTransaction && epoch <= last; count++, epoch++) {
      maps.pending.setFlags(epoch % 2 === 0 ? noscrub : 0, noscrub);
      applied.push(maps.propose(transaction, 1_800_000_000_000 + epoch));
    }
    await store.commit(transaction);
    for (const apply of applied) apply();
  }
}
