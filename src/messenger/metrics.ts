/** The counters of messengers as Prometheus text. */
import { type Labels, PrometheusText } from '../prometheus-text.ts';
import { addCounters, type ConnectionCounters } from './connection.ts';
import type { Messenger, MessengerCounters } from './messenger.ts';
import { PeerConnection } from './peer-connection.ts';

export { prometheusContentType } from '../prometheus-text.ts';

export interface PrometheusOptions {
  /** One series more per counter for each connection there is, named `msgr2_connection_…`. */
  perConnection?: boolean;
}

/** A name without its prefix, with its unit; one that ends in `_total` is a counter, any other a gauge. */
type Metric = readonly [name: string, help: string];

const connectionMetrics: Readonly<Record<keyof ConnectionCounters, Metric>> = {
  framesReceived: ['frames_received_total', 'Frames received, control frames included.'],
  framesSent: ['frames_sent_total', 'Frames sent, control frames included.'],
  messagesReceived: ['messages_received_total', 'Messages received, duplicates left out.'],
  messagesSent: ['messages_sent_total', 'Messages sent, each counted once.'],
  bytesReceived: ['received_bytes_total', 'Bytes received, from sockets and through shared memory.'],
  bytesSent: ['sent_bytes_total', 'Bytes sent, into sockets and through shared memory.'],
  messagesReplayed: ['messages_replayed_total', 'Messages sent again after a reconnect.'],
  duplicatesDropped: ['messages_duplicate_total', 'Messages received again and dropped.'],
  connects: ['connects_total', 'Sockets that reached the session.'],
  faults: ['faults_total', 'Sockets that failed.'],
  resets: ['session_resets_total', 'Sessions that ended with a reset or a remote reset.'],
  throttleWaits: ['throttle_waits_total', 'Times a full throttle stopped the reading of a connection.'],
  messagesDropped: ['messages_dropped_total', 'Messages given to a connection that had ended.'],
  queuedMessages: ['send_queue_messages', 'Messages not yet sent, or sent and not yet acknowledged.'],
  queuedBytes: ['send_queue_bytes', 'Bytes that wait to be sent.'],
  unackedBytes: ['unacked_bytes', 'Framed bytes that peers have not acknowledged.'],
};

const messengerMetrics: Readonly<Record<keyof MessengerCounters, Metric>> = {
  ...connectionMetrics,
  connections: ['connections', 'Connections, in whatever state.'],
  connectionsOpen: ['connections_open', 'Connections with a session.'],
  connectionsSharingMemory: [
    'connections_sharing_memory',
    'Connections with a session that goes through memory shared with the peer.',
  ],
  acceptFailures: ['accept_failures_total', 'Byte streams that were accepted and became no session.'],
  messagesUnhandled: ['messages_unhandled_total', 'Messages that no dispatcher took.'],
  dispatchQueueLength: ['dispatch_queue_entries', 'Messages and events that wait for a dispatcher.'],
  dispatchQueued: ['dispatch_queued_total', 'Messages and events that went through a dispatch queue.'],
  dispatchQueueWaitSeconds: [
    'dispatch_queue_wait_seconds_total',
    'How long they waited there, all together.',
  ],
  dispatchThrottleBytes: [
    'dispatch_throttle_bytes',
    'Payload bytes in dispatch queues or held by dispatchers.',
  ],
};

/** Counters and whose they are. */
export interface LabelledCounters<Counters> {
  readonly labels: Labels;
  readonly counters: Counters;
}

/** The counters of some messengers; those of one label are added up, as a series must be there once. */
export function prometheusText(messengers: Iterable<Messenger>, options: PrometheusOptions = {}): string {
  const totals = new Map<string, MessengerCounters>();
  const connections: LabelledCounters<ConnectionCounters>[] = [];
  for (const messenger of messengers) {
    const { label } = messenger;
    const counters = messenger.counters();
    const before = totals.get(label);
    if (before === undefined) totals.set(label, counters);
    else addCounters(before, counters);
    if (options.perConnection) connections.push(...connectionSeries(messenger));
  }
  const text = new PrometheusText();
  const series = [...totals].map(([messenger, counters]) => ({ labels: { messenger }, counters }));
  writeMessengerMetrics(text, series);
  if (options.perConnection) families(text, 'msgr2_connection_', connectionMetrics, connections);
  return String(text);
}

/** Families `msgr2_…`; for messengers whose counters came from another thread, too. */
export function writeMessengerMetrics(
  text: PrometheusText,
  series: readonly LabelledCounters<MessengerCounters>[],
): void {
  families(text, 'msgr2_', messengerMetrics, series);
}

function connectionSeries(messenger: Messenger): LabelledCounters<ConnectionCounters>[] {
  return messenger
    .connections()
    .filter((connection) => connection instanceof PeerConnection)
    .map((connection) => ({
      labels: {
        messenger: messenger.label,
        connection: connection.id,
        peer: String(connection.peerName),
        address: String(connection.peerAddrs),
      },
      counters: connection.counters(),
    }));
}

function families<Name extends string>(
  text: PrometheusText,
  prefix: string,
  metrics: Readonly<Record<Name, Metric>>,
  series: readonly LabelledCounters<Readonly<Record<Name, number>>>[],
): void {
  for (const [counter, [name, help]] of Object.entries(metrics) as [Name, Metric][]) {
    const samples = series.map(({ labels, counters }) => ({ labels, value: counters[counter] }));
    text.family(prefix + name, help, samples);
  }
}
