/** The monmap, and the quorum of one. */

import { Errno } from '../../../../auth/errno.ts';
import { encodeMonMap, type MonMap } from '../../../../maps/mon-map.ts';
import { releaseName } from '../../../../maps/states.ts';
import type { EntityAddr } from '../../../../wire/entity-addr.ts';
import type { EntityAddrVec } from '../../../../wire/entity-addrvec.ts';
import { supportedDefault } from '../../../../wire/features.ts';
import { type Utime, utimeToString } from '../../../../wire/utime.ts';
import type { MonitorState } from '../../monitor-state.ts';
import { electionEpoch, monFeatureNames, quorumAgeMs, rankOf, supportedMonFeatures } from '../../quorum.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { answer, failed, formatJson, isJson } from '../reply.ts';

export const monMapCommands: readonly CommandDefinition[] = [
  {
    signature: 'mon dump name=epoch,type=CephInt,range=0,req=false',
    help: 'show the monmap',
    module: 'mon',
    permissions: 'r',
    run: (context) =>
      withEpoch(context, ({ format, monitor }) => {
        const data = isJson(format)
          ? formatJson({ ...monMapJson(monitor.monMap), quorum: [rankOf(monitor)] }, format)
          : monMapText(monitor.monMap);
        return answer(data, `dumped monmap epoch ${monitor.monMap.epoch}`);
      }),
  },
  {
    signature: 'mon getmap name=epoch,type=CephInt,range=0,req=false',
    help: 'the monmap in its binary form, to a file with -o',
    module: 'mon',
    permissions: 'r',
    run: (context) =>
      withEpoch(context, ({ monitor }) =>
        answer(encodeMonMap(monitor.monMap), `got monmap epoch ${monitor.monMap.epoch}`),
      ),
  },
  {
    signature: 'mon stat',
    help: 'the monmap in one line',
    module: 'mon',
    permissions: 'r',
    run: ({ format, monitor }) =>
      answer(isJson(format) ? formatJson(statJson(monitor), format) : statText(monitor)),
  },
  {
    signature: 'mon feature ls name=with_value,type=CephChoices,strings=--with-value,req=false',
    help: 'features of the monmap that there are, and that it has',
    module: 'mon',
    permissions: 'r',
    run({ args, format, monitor }) {
      const features = featuresOf(monitor.monMap);
      if (isJson(format)) return answer(formatJson(features, format));
      return answer(featuresText(monitor.monMap, args.text('with_value') !== undefined));
    },
  },
  {
    signature: 'quorum_status',
    help: 'who is in the quorum, and since when',
    module: 'mon',
    permissions: 'r',
    run: ({ format, monitor }) =>
      answer(formatJson(quorumStatus(monitor), format === 'plain' ? 'json' : format)),
  },
  {
    signature: 'mon ok-to-stop name=ids,type=CephString,n=N',
    help: 'whether the others go on without these monitors',
    module: 'mon',
    permissions: 'r',
    run: ({ args }) =>
      failed(
        Errno.EBUSY,
        `not enough monitors would be available () after stopping mons [${args.list('ids').join(',')}]`,
      ),
  },
  {
    signature: 'mon ok-to-add-offline',
    help: 'whether a monitor may be added before it runs',
    module: 'mon',
    permissions: 'r',
    run: () => failed(Errno.EBUSY, 'adding a monitor may break quorum (until that monitor starts)'),
  },
  {
    signature: 'mon ok-to-rm name=id,type=CephString',
    help: 'whether a monitor may be removed',
    module: 'mon',
    permissions: 'r',
    run: ({ args, monitor }) =>
      monitor.monMap.monitors.has(args.text('id')!)
        ? failed(Errno.EBUSY, `removing mon.${args.text('id')} would break quorum`)
        : failed(Errno.ENOENT, `mon.${args.text('id')} does not exist`),
  },
];

/** Only the present monmap is kept: a monitor that moves makes a new one, and nobody asks for the old. */
function withEpoch(context: CommandContext, run: (context: CommandContext) => CommandReply): CommandReply {
  const epoch = context.args.number('epoch') ?? 0;
  if (epoch !== 0 && epoch !== context.monitor.monMap.epoch) {
    return failed(Errno.ENOENT, `there is no map for epoch ${epoch}`);
  }
  return run(context);
}

/** `2026-11-27T22:24:02.813363Z`: the monmap's JSON writes times in another form than everything else. */
function zulu(time: Utime): string {
  return utimeToString(time).replace('+0000', 'Z');
}

export function monMapJson(monMap: MonMap): object {
  return {
    epoch: monMap.epoch,
    fsid: String(monMap.fsid),
    modified: zulu(monMap.lastChanged),
    created: zulu(monMap.created),
    min_mon_release: monMap.minMonRelease,
    min_mon_release_name: releaseName(monMap.minMonRelease),
    election_strategy: monMap.electionStrategy,
    // So misspelled in Ceph 16, and read by programs as it is.
    'disallowed_leaders: ': monMap.disallowedLeaders.join(','),
    stretch_mode: monMap.stretchModeEnabled,
    tiebreaker_mon: monMap.tiebreaker,
    'removed_ranks: ': monMap.removedRanks.join(','),
    features: {
      persistent: monFeatureNames(monMap.persistentFeatures.bits),
      optional: monFeatureNames(monMap.optionalFeatures.bits),
    },
    mons: monMap.ranks.map((name, rank) => {
      const { crushLocation, priority, publicAddrs, weight } = monMap.monitors.get(name)!;
      const first = legacyText(publicAddrs);
      return {
        rank,
        name,
        public_addrs: { addrvec: publicAddrs.addrs.map(addrJson) },
        addr: first,
        public_addr: first,
        priority,
        weight,
        crush_location: `{${[...crushLocation].map((pair) => pair.join('=')).join(',')}}`,
      };
    }),
  };
}

/** An address without its protocol, as before there was more than one. */
export function legacyText(addrs: EntityAddrVec): string {
  return String(addrs.front ?? '').replace(/^\w+:(?=[\d[])/, '');
}

export function addrJson(addr: EntityAddr): object {
  const [type = '', rest = ''] = String(addr).split(/:(.*)/s);
  return { type, addr: rest.replace(/\/\d+$/, ''), nonce: addr.nonce };
}

function monMapText(monMap: MonMap): string {
  return [
    `epoch ${monMap.epoch}`,
    `fsid ${monMap.fsid}`,
    `last_changed ${utimeToString(monMap.lastChanged)}`,
    `created ${utimeToString(monMap.created)}`,
    `min_mon_release ${monMap.minMonRelease} (${releaseName(monMap.minMonRelease)})`,
    `election_strategy: ${monMap.electionStrategy}`,
    ...monMap.ranks.map((name, rank) => `${rank}: ${monMap.monitors.get(name)!.publicAddrs} mon.${name}`),
    '',
  ].join('\n');
}

function statJson(monitor: MonitorState): object {
  const { monMap, name } = monitor;
  return {
    epoch: monMap.epoch,
    min_mon_release_name: releaseName(monMap.minMonRelease),
    num_mons: monMap.ranks.length,
    leader: name,
    quorum: [{ rank: rankOf(monitor), name }],
  };
}

function statText(monitor: MonitorState): string {
  const { monMap, name } = monitor;
  const members = monMap.ranks.map((member) => `${member}=${monMap.monitors.get(member)!.publicAddrs}`);
  const rank = rankOf(monitor);
  const removed = `removed_ranks: {${monMap.removedRanks.join(',')}}`;
  return (
    `e${monMap.epoch}: ${monMap.ranks.length} mons at {${members.join(',')}} ${removed}, ` +
    `election epoch ${electionEpoch}, leader ${rank} ${name}, quorum ${rank} ${name}\n`
  );
}

function featuresOf(monMap: MonMap) {
  const supported = monFeatureNames(supportedMonFeatures);
  const persistent = monFeatureNames(monMap.persistentFeatures.bits);
  const optional = monFeatureNames(monMap.optionalFeatures.bits);
  return {
    all: { supported, persistent: supported },
    monmap: { persistent, optional, required: [...persistent, ...optional] },
  };
}

function featuresText(monMap: MonMap, withValues: boolean): string {
  const all = monFeatureNames(supportedMonFeatures);
  const list = (names: readonly string[]): string =>
    `[${names.map((name) => (withValues ? `${name}(${1 << all.indexOf(name)})` : name)).join(',')}]`;
  const { all: known, monmap } = featuresOf(monMap);
  return [
    'all features',
    `\tsupported: ${list(known.supported)}`,
    `\tpersistent: ${list(known.persistent)}`,
    `on current monmap (epoch ${monMap.epoch})`,
    `\tpersistent: ${list(monmap.persistent)}`,
    `\trequired: ${list(monmap.required)}`,
    '',
  ].join('\n');
}

function quorumFeatures(monMap: MonMap) {
  return {
    quorum_con: String(supportedDefault),
    quorum_mon: monFeatureNames(monMap.persistentFeatures.bits),
  };
}

function quorumStatus(monitor: MonitorState): object {
  const { monMap, name } = monitor;
  return {
    election_epoch: electionEpoch,
    quorum: [rankOf(monitor)],
    quorum_names: [name],
    quorum_leader_name: name,
    quorum_age: Math.floor(quorumAgeMs(monitor) / 1000),
    features: quorumFeatures(monMap),
    monmap: monMapJson(monMap),
  };
}

/** Features that a daemon must have to join, as a Pacific quorum asks for them. */
const requiredConnectionFeatures = 2449958747317026820n;

/** What `ceph tell mon.a mon_status` and `ceph ping mon.a` show. */
export function monStatus(monitor: MonitorState, sessionFeatures: object): object {
  const { monMap, name } = monitor;
  return {
    name,
    rank: rankOf(monitor),
    state: 'leader',
    election_epoch: electionEpoch,
    quorum: [rankOf(monitor)],
    quorum_age: Math.floor(quorumAgeMs(monitor) / 1000),
    features: {
      required_con: String(requiredConnectionFeatures),
      required_mon: monFeatureNames(monMap.persistentFeatures.bits),
      ...quorumFeatures(monMap),
    },
    outside_quorum: [],
    extra_probe_peers: [],
    sync_provider: [],
    monmap: monMapJson(monMap),
    feature_map: sessionFeatures,
    stretch_mode: monMap.stretchModeEnabled,
  };
}
