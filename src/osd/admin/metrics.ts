/**
 * An OSD's metrics as Prometheus text: what its heartbeats see of every peer on every network, what was
 * reported, how late its loops are, and the counters of its seven messengers.
 */

import type { MessengerCounters } from '../../messenger/messenger.ts';
import { type LabelledCounters, writeMessengerMetrics } from '../../messenger/metrics.ts';
import { PrometheusText, type Sample } from '../../prometheus-text.ts';
import type { OsdDaemonStatus } from '../daemon/status.ts';
import { LinkState } from '../heartbeat/link-state.ts';
import { type NetworkName, networkNames } from '../heartbeat/network-protocol.ts';
import type { HeartbeatMetrics, LinkStatus, NetworkMetrics } from '../heartbeat/osd-heartbeat-types.ts';
import { roundTripBucketsMs } from '../heartbeat/round-trips.ts';

export async function osdMetrics(daemon: OsdDaemonStatus): Promise<string> {
  const text = new PrometheusText();
  writeDaemon(text, daemon);
  writeLinks(text, daemon);
  writeHeartbeat(text, daemon.heartbeat.metrics());
  const messengers = (await daemon.messengers()).map(({ name, counters }) => ({
    labels: { messenger: name },
    counters,
  }));
  writeMessengerMetrics(text, messengers satisfies LabelledCounters<MessengerCounters>[]);
  return String(text);
}

function writeDaemon(text: PrometheusText, daemon: OsdDaemonStatus): void {
  const { osdFsid, state, version, whoami } = daemon;
  const labels = { osd: whoami, state, osd_fsid: osdFsid, version: version.version };
  text.family('msgr2_osd_info', 'Who this OSD is, and its state.', [{ labels, value: 1 }]);
  text.family('msgr2_osd_map_epoch', 'Latest OSDMap in use.', [{ labels: {}, value: daemon.newestMap }]);
}

function writeLinks(text: PrometheusText, daemon: OsdDaemonStatus): void {
  const links = daemon.heartbeat.peers().flatMap(({ osd, networks }) =>
    (Object.entries(networks) as [NetworkName, LinkStatus][]).map(([network, link]) => ({
      labels: { peer: osd, network },
      link,
    })),
  );
  const states = links.flatMap(({ labels, link }) =>
    Object.values(LinkState).map((state) => ({
      labels: { ...labels, state },
      value: Number(link.state === state),
    })),
  );
  text.family('msgr2_heartbeat_link_state', 'State of a peer on a network: 1 for the one it is in.', states);
  const ages: Sample[] = links
    .filter(({ link }) => link.lastHeardMs !== undefined)
    .map(({ labels, link }) => ({ labels, value: link.lastHeardMs! / 1000 }));
  text.family('msgr2_heartbeat_last_heard_age_seconds', 'Since the last answer to a ping.', ages);
  const faults = daemon.heartbeat.faults().map(({ network, owner, separated, state }) => ({
    labels: { osd: owner, network, state },
    value: separated.length,
  }));
  text.family('msgr2_heartbeat_nic_fault_peers', 'Peers that a NIC which stands out separates.', faults);
}

function writeHeartbeat(text: PrometheusText, metrics: HeartbeatMetrics): void {
  const networks = networkNames.map((network) => ({ network, of: metrics.networks[network] }));
  const byNetwork = (value: (of: NetworkMetrics) => number): Sample[] =>
    networks.map(({ network, of }) => ({ labels: { network }, value: value(of) }));

  text.histogram(
    'msgr2_heartbeat_round_trip_seconds',
    'Round trips of heartbeat pings.',
    roundTripBucketsMs.map((ms) => ms / 1000),
    networks.flatMap(({ network, of }) =>
      [...of.roundTrips].map(([peer, { buckets, sumMs }]) => ({
        labels: { peer, network },
        cumulativeCounts: buckets,
        sum: sumMs / 1000,
      })),
    ),
  );
  for (const counter of Object.keys(metrics.networks.back.counters)) {
    const name = counter.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    text.family(
      `msgr2_heartbeat_${name}_total`,
      `Heartbeats: ${name.replaceAll('_', ' ')}.`,
      byNetwork((of) => of.counters[counter] ?? 0),
    );
  }
  const { failuresCancelled, failuresImmediate, failuresReported, failuresSuppressed } = metrics;
  for (const [name, help, value] of [
    ['failures_reported_total', 'Failures of peers reported to the monitor.', failuresReported],
    ['failures_immediate_total', 'Of these, because the connection was refused.', failuresImmediate],
    ['failures_cancelled_total', 'Reports taken back: the peer answered again.', failuresCancelled],
    [
      'failures_suppressed_total',
      'Reports not sent: one stood already, or this OSD was slow.',
      failuresSuppressed,
    ],
  ] as const) {
    text.family(`msgr2_heartbeat_${name}`, help, [{ labels: {}, value }]);
  }
  const lag = [
    { labels: { loop: 'main' }, value: metrics.mainLagMs / 1000 },
    ...networks.map(({ network, of }) => ({ labels: { loop: network }, value: of.lagMs / 1000 })),
  ];
  const lagMax = [
    { labels: { loop: 'main' }, value: metrics.mainLagMsMax / 1000 },
    ...networks.map(({ network, of }) => ({ labels: { loop: network }, value: of.lagMsMax / 1000 })),
  ];
  text.family('msgr2_loop_lag_seconds', 'How late timers of a loop were last.', lag);
  text.family('msgr2_loop_lag_max_seconds', 'How late timers of a loop were at most.', lagMax);
  text.family(
    'msgr2_heartbeat_thread_restarts_total',
    'Heartbeat threads that ended and were replaced.',
    byNetwork((of) => of.restarts),
  );
}
