/**
 * The counters of messengers as Prometheus text (exposition format 0.0.4).
 *
 * prom-client is the library for metrics that live in a registry. Here the numbers live in the messengers
 * already and are read once per scrape; a registry would keep them a second time and have to be told of
 * each connection that comes and goes. What is left, names and escapes, is this file.
 */
import { addCounters, type ConnectionCounters } from './connection.ts';
import type { Messenger, MessengerCounters } from './messenger.ts';
import { PeerConnection } from './peer-connection.ts';

/** Content-Type of an HTTP answer with this text. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

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
  bytesReceived: ['received_bytes_total', 'Bytes received from sockets.'],
  bytesSent: ['sent_bytes_total', 'Bytes written to sockets.'],
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
  connectionsOpen: ['connections_open', 'Connections with a session on a socket.'],
  acceptFailures: ['accept_failures_total', 'Byte streams that were accepted and became no session.'],
  messagesUnhandled: ['messages_unhandled_total', 'Messages that no dispatcher took.'],
  dispatchQueueLength: ['dispatch_queue_entries', 'Messages and events that wait for a dispatcher.'],
  dispatchThrottleBytes: [
    'dispatch_throttle_bytes',
    'Payload bytes in dispatch queues or held by dispatchers.',
  ],
};

/** Labels in their text form, and the numbers they go with. */
type Series<Counters> = Map<string, Counters>;

/** The counters of some messengers; those of one label are added up, as a series must be there once. */
export function prometheusText(messengers: Iterable<Messenger>, options: PrometheusOptions = {}): string {
  const totals: Series<MessengerCounters> = new Map();
  const connections: Series<ConnectionCounters> = new Map();
  for (const messenger of messengers) {
    const { label } = messenger;
    const labels = labelText({ messenger: label });
    const counters = messenger.counters();
    const before = totals.get(labels);
    if (before === undefined) totals.set(labels, counters);
    else addCounters(before, counters);
    if (!options.perConnection) continue;
    for (const connection of messenger.connections()) {
      if (!(connection instanceof PeerConnection)) continue;
      const { id, peerName, peerAddrs } = connection;
      connections.set(
        labelText({
          messenger: label,
          connection: String(id),
          peer: String(peerName),
          address: String(peerAddrs),
        }),
        connection.counters(),
      );
    }
  }
  const text = families('msgr2_', messengerMetrics, totals);
  return options.perConnection ? text + families('msgr2_connection_', connectionMetrics, connections) : text;
}

function families<Name extends string>(
  prefix: string,
  metrics: Readonly<Record<Name, Metric>>,
  series: Series<Record<Name, number>>,
): string {
  let text = '';
  for (const [counter, [name, help]] of Object.entries(metrics) as [Name, Metric][]) {
    const type = name.endsWith('_total') ? 'counter' : 'gauge';
    text += `# HELP ${prefix}${name} ${help}\n# TYPE ${prefix}${name} ${type}\n`;
    for (const [labels, counters] of series) text += `${prefix}${name}${labels} ${counters[counter]}\n`;
  }
  return text;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return `{${pairs.join(',')}}`;
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
