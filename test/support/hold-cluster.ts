/** Starts a cluster, prints its process ids and folder as one JSON line, and holds it until killed. */

import { CephCluster } from './ceph-cluster.ts';

const cluster = await CephCluster.start({ osds: 1 });
console.log(JSON.stringify({ pids: [...cluster.pids.values()], folder: cluster.folder }));
