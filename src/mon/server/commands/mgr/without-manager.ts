/**
 * Commands that a manager answers. Without one Ceph's tool and monitor wait for ever; here they are described
 * as the monitor's own, and answered at once with the reason.
 */
import { Errno } from '../../../../auth/errno.ts';
import type { CommandDefinition } from '../command.ts';
import { failed } from '../reply.ts';

const signatures: readonly string[] = [
  'service dump',
  'service status',
  'config show name=who,type=CephString name=key,type=CephString,req=false',
  'config show-with-defaults name=who,type=CephString',
  'pg stat',
  'pg dump name=dumpcontents,type=CephChoices,strings=all|summary|sum|delta|pools|osds|pgs|pgs_brief,n=N,req=false',
  'pg ls name=pool,type=CephInt,req=false name=states,type=CephString,n=N,req=false',
  'pg ls-by-pool name=poolstr,type=CephString name=states,type=CephString,n=N,req=false',
  'pg ls-by-osd name=osd,type=CephOsdName name=pool,type=CephInt,req=false name=states,type=CephString,n=N,req=false',
  'pg ls-by-primary name=osd,type=CephOsdName name=pool,type=CephInt,req=false name=states,type=CephString,n=N,req=false',
  'pg dump_stuck name=stuckops,type=CephChoices,strings=inactive|unclean|stale|undersized|degraded,n=N,req=false name=threshold,type=CephInt,req=false',
  'pg scrub name=pgid,type=CephPgid',
  'pg deep-scrub name=pgid,type=CephPgid',
  'pg repair name=pgid,type=CephPgid',
  'osd df name=output_method,type=CephChoices,strings=plain|tree,req=false',
  'osd perf',
  'osd blocked-by',
  'osd pool stats name=pool_name,type=CephPoolname,req=false',
  'osd status name=bucket,type=CephString,req=false',
  'osd scrub name=who,type=CephString',
  'osd deep-scrub name=who,type=CephString',
  'osd repair name=who,type=CephString',
  'osd safe-to-destroy name=ids,type=CephString,n=N',
  'osd ok-to-stop name=ids,type=CephString,n=N name=max,type=CephInt,req=false',
  'osd reweight-by-utilization name=oload,type=CephInt,req=false',
  'osd test-reweight-by-utilization name=oload,type=CephInt,req=false',
  'balancer status',
  'crash ls',
  'device ls',
  'orch status',
  'progress',
];

export const withoutManagerCommands: readonly CommandDefinition[] = signatures.map((signature) => ({
  signature,
  help: 'answered by a manager, which this cluster does not have',
  module: 'mgr',
  permissions: 'r',
  run: () => {
    const words = signature.split(' name=')[0];
    return failed(Errno.EOPNOTSUPP, `'${words}' is answered by a manager, and this cluster has none`);
  },
}));
