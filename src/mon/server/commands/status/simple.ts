/** Questions with short answers. */
import { Errno } from '../../../../auth/errno.ts';
import { electionEpoch } from '../../quorum.ts';
import type { CommandDefinition } from '../command.ts';
import { answer, failed, formatJson, isJson } from '../reply.ts';
import { table } from '../text.ts';

export const simpleCommands: readonly CommandDefinition[] = [
  {
    signature: 'fsid',
    help: 'the id of the cluster',
    module: 'mon',
    permissions: 'r',
    run({ format, monitor }) {
      const fsid = String(monitor.fsid);
      return answer(isJson(format) ? formatJson({ fsid }, format) : `${fsid}\n`);
    },
  },
  {
    signature: 'time-sync-status',
    help: 'how the clocks of the monitors agree',
    module: 'mon',
    permissions: 'r',
    run: ({ format }) =>
      answer(
        formatJson({ timechecks: { epoch: electionEpoch, round: 0, round_status: 'finished' } }, format),
      ),
  },
  {
    signature: 'df name=detail,type=CephChoices,strings=detail,req=false',
    help: 'how full the cluster is; without a manager nobody counts',
    module: 'mon',
    permissions: 'r',
    run({ args, format }) {
      if (isJson(format)) return answer(formatJson(nothingUsed, format));
      return answer(usageText(args.text('detail') === 'detail'));
    },
  },
  {
    signature: 'report name=tags,type=CephString,n=N,req=false',
    help: 'everything about the cluster; not offered by this monitor',
    module: 'mon',
    permissions: 'r',
    run: () =>
      failed(Errno.EOPNOTSUPP, 'this monitor makes no report; status, health and the dumps tell all'),
  },
];

const nothingUsed = {
  stats: {
    total_bytes: 0,
    total_avail_bytes: 0,
    total_used_bytes: 0,
    total_used_raw_bytes: 0,
    total_used_raw_ratio: 0,
    num_osds: 0,
    num_per_pool_osds: 0,
    num_per_pool_omap_osds: 0,
  },
  stats_by_class: {},
  pools: [],
};

function usageText(isDetailed: boolean): string {
  const right = (heading: string) => ({ heading, align: 'right' as const });
  const raw = table(
    [{ heading: 'CLASS' }, ...['SIZE', 'AVAIL', 'USED', 'RAW USED', '%RAW USED'].map(right)],
    [['TOTAL', '0 B', '0 B', '0 B', '0 B', '0']],
  );
  const pools = isDetailed
    ? 'POOL ID PGS STORED (DATA) (OMAP) OBJECTS USED (DATA) (OMAP) %USED MAX_AVAIL QUOTA_OBJECTS QUOTA_BYTES DIRTY USED_COMPR UNDER_COMPR'
    : 'POOL ID PGS STORED OBJECTS USED %USED MAX_AVAIL';
  const headings = pools.split(' ').map((heading) => heading.replace('_', ' '));
  return `--- RAW STORAGE ---\n${raw}\n \n--- POOLS ---\n${headings.join('  ')}\n`;
}
