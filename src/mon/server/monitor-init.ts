/** What a monitor is started with. */
import type { Keyring } from '../../auth/keyring.ts';
import type { RandomSource } from '../../messenger/random.ts';
import type { TransportName } from '../../messenger/transports.ts';
import type { Options } from '../../options.ts';
import type { Transport } from '../../transport/channel.ts';
import type { Clock } from '../../transport/clock.ts';
import type { MonStore } from './store/mon-store.ts';

export interface MonitorInit {
  /**
   * Where its addresses are: `127.0.0.1` (port 3300), `10.0.0.1:3300`, `v2:10.0.0.1:0` (a free port, kept for
   * later starts). When absent, the address of the start before.
   */
  readonly publicAddr?: string;
  /** The folder of its store, for its owner only; made when missing. Absent, with no `store`: all is in memory. */
  readonly data?: string;
  /** In place of `data`. It is closed with the monitor. */
  readonly store?: MonStore;
  /** The monitor's own name; `a` when absent. */
  readonly name?: string;
  /** Of the cluster; made on the first start when absent, and checked on later ones. */
  readonly fsid?: string;
  readonly options?: Partial<Options>;
  /** Entities that a new cluster begins with, `mon.` and `client.admin` among them or made. */
  readonly keyring?: Keyring;
  /**
   * Type of the keys that are made. `aes` (the default) is what every Ceph reads and is weak; `aes256k` needs
   * 19.2.6 or 20.2.4 and later everywhere.
   */
  readonly keyType?: 'aes' | 'aes256k';
  readonly transport?: TransportName | Transport;
  readonly clock?: Clock;
  readonly random?: RandomSource;
  /** Wall clock in ms; tests and simulations. */
  readonly wallMs?: () => number;
}
