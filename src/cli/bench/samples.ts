/** What one measurement gives. */
import type { LatencySummary } from '../latency.ts';

/** CPU time of one process while it was measured, user and system, all its threads. */
export interface CpuTime {
  readonly userUs: number;
  readonly systemUs: number;
}

/** One way, as the receiver saw it. */
export interface ThroughputSample {
  readonly sizeBytes: number;
  /** Messages the handler got; checked to be all that were sent. */
  readonly messages: number;
  /** From the first message to the last, at the receiver. */
  readonly seconds: number;
  readonly messagesPerSecond: number;
  /** Payload, in units of 10^6 bytes. */
  readonly megabytesPerSecond: number;
  readonly server: CpuTime;
  readonly client: CpuTime;
}

/** Round trips with one message under way, as the client saw them. */
export interface RoundTripSample {
  readonly sizeBytes: number;
  readonly roundTrips: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly rttMs: LatencySummary;
  readonly server: CpuTime;
  readonly client: CpuTime;
}

/** What the server says at End. */
export interface ServerCount {
  readonly messages: number;
  readonly bytes: number;
  readonly pings: number;
  readonly elapsedMs: number;
  readonly cpu: CpuTime;
}

/** What the client says after it sent End. */
export interface ClientCount {
  readonly messages: number;
  readonly elapsedMs: number;
  readonly cpu: CpuTime;
  readonly rttMs?: LatencySummary | undefined;
}

export function cpuTimeSince(start: NodeJS.CpuUsage): CpuTime {
  const { user, system } = process.cpuUsage(start);
  return { userUs: user, systemUs: system };
}

export function throughputSample(
  sizeBytes: number,
  server: ServerCount,
  client: ClientCount,
): ThroughputSample {
  const seconds = server.elapsedMs / 1000;
  return {
    sizeBytes,
    messages: server.messages,
    seconds,
    messagesPerSecond: server.messages / seconds,
    megabytesPerSecond: server.bytes / seconds / 1e6,
    server: server.cpu,
    client: client.cpu,
  };
}

export function roundTripSample(
  sizeBytes: number,
  server: ServerCount,
  client: ClientCount,
): RoundTripSample {
  const seconds = client.elapsedMs / 1000;
  return {
    sizeBytes,
    roundTrips: client.messages,
    seconds,
    perSecond: client.messages / seconds,
    rttMs: client.rttMs!,
    server: server.cpu,
    client: client.cpu,
  };
}
