/** Who runs in the cluster: metadata, versions, features, places. */
import { Errno } from '../../../../auth/errno.ts';
import { isUp, osdExists } from '../../../../maps/osdmap.ts';
import { EntityType, entityTypeName } from '../../../../wire/entity-name.ts';
import { supportedDefault } from '../../../../wire/features.ts';
import { monMetadata } from '../../mon-metadata.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandDefinition } from '../command.ts';
import { answer, failed, formatJson } from '../reply.ts';
import { counts } from '../text.ts';

export const daemonCommands: readonly CommandDefinition[] = [
  {
    signature: 'mon metadata name=id,type=CephString,req=false',
    help: 'what monitors tell of their machines',
    module: 'mon',
    permissions: 'r',
    run({ args, format, monitor }) {
      const id = args.text('id');
      const metadata = Object.fromEntries(monMetadata(monitor));
      if (id === undefined) return answer(formatJson([{ name: monitor.name, ...metadata }], format));
      if (id !== monitor.name) return failed(Errno.ENOENT, 'requested mon not found');
      return answer(formatJson(metadata, format));
    },
  },
  {
    signature: 'mon count-metadata name=property,type=CephString',
    help: 'how many monitors have each value of a property',
    module: 'mon',
    permissions: 'r',
    run({ args, format, monitor }) {
      const value = monMetadata(monitor).get(args.text('property')!) ?? 'unknown';
      return answer(formatJson(counts([value]), format));
    },
  },
  {
    signature: 'mon versions',
    help: 'how many monitors run each version',
    module: 'mon',
    permissions: 'r',
    run: ({ format, monitor }) => answer(formatJson(counts(monVersions(monitor)), format)),
  },
  {
    signature: 'versions',
    help: 'how many daemons run each version',
    module: 'mon',
    permissions: 'r',
    run({ format, monitor }) {
      const mon = monVersions(monitor);
      const osd = osdVersions(monitor);
      const overall = counts([...mon, ...osd]);
      return answer(formatJson({ mon: counts(mon), mgr: {}, osd: counts(osd), mds: {}, overall }, format));
    },
  },
  {
    signature: 'features',
    help: 'which features those have that are connected',
    module: 'mon',
    permissions: 'r',
    run: ({ format, monitor }) => answer(formatJson(featureMap(monitor), format)),
  },
  {
    signature: 'node ls name=type,type=CephChoices,strings=all|osd|mon|mds|mgr,req=false',
    help: 'which daemons run on which machine',
    module: 'mon',
    permissions: 'r',
    run({ args, format, monitor }) {
      const type = args.text('type') ?? 'all';
      const mon = { [monMetadata(monitor).get('hostname') ?? '']: [monitor.name] };
      const nodes: Record<string, object> = { mon, osd: osdsByHost(monitor), mds: {}, mgr: {} };
      if (type !== 'all') return answer(formatJson(nodes[type], format));
      // Ceph leaves metadata servers out when there are none.
      const { mds: _none, ...all } = nodes;
      return answer(formatJson(all, format));
    },
  },
];

function monVersions(monitor: MonitorState): string[] {
  return [monMetadata(monitor).get('ceph_version') ?? 'unknown'];
}

/** Of those that are up: what the others said last may be long ago. */
function osdVersions({ osd, osdMap }: MonitorState): string[] {
  return Array.from({ length: osdMap.maxOsd }, (_, id) => id)
    .filter((id) => isUp(osdMap, id))
    .map((id) => osd.metadata(id)?.get('ceph_version') ?? 'unknown');
}

function osdsByHost({ osd, osdMap }: MonitorState): Record<string, number[]> {
  const hosts = new Map<string, number[]>();
  for (let id = 0; id < osdMap.maxOsd; id++) {
    const host = osdExists(osdMap, id) ? osd.metadata(id)?.get('hostname') : undefined;
    if (host !== undefined) hosts.set(host, [...(hosts.get(host) ?? []), id]);
  }
  return Object.fromEntries([...hosts].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The release that a set of features belongs to; those of Pacific say luminous, since no later one asks for more. */
const release = 'luminous';

export function featureMap({ sessions }: MonitorState): Record<string, object[]> {
  const byType = new Map<number, Map<bigint, number>>([[EntityType.Mon, new Map([[supportedDefault, 1]])]]);
  for (const { connection } of sessions) {
    const { features, peerName } = connection;
    const ofType = byType.get(peerName.type) ?? new Map<bigint, number>();
    byType.set(peerName.type, ofType.set(features, (ofType.get(features) ?? 0) + 1));
  }
  return Object.fromEntries(
    [...byType]
      .sort(([one], [other]) => one - other)
      .map(([type, ofType]) => [
        entityTypeName(type),
        [...ofType].map(([features, num]) => ({ features: `0x${features.toString(16)}`, release, num })),
      ]),
  );
}
