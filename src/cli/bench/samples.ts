/** What one measurement gives. */
import type { GcCount } from './gc-profile.ts';
import type { PayloadKind } from './payloads.ts';
import type { RoundTripTimes } from './round-trip-times.ts';

/** One way, as fast as it goes. */
export interface StreamTask {
  readonly sizeBytes: number;
  readonly seconds: number;
  /** `hot` when absent. */
  readonly payloads?: PayloadKind;
  /** Connections that send; 1 when absent. */
  readonly active?: number;
}

/** Pings and their answers, which are as large. */
export interface RequestTask {
  readonly sizeBytes: number;
  readonly seconds: number;
  /** Under way at once; 1 when absent. */
  readonly depth?: number;
}

/** CPU time of one process while it was measured, user and system, all its threads. */
export interface CpuTime {
  readonly userUs: number;
  readonly systemUs: number;
}

/** The most memory that each end had resident during the measurement. */
export interface PeakBytes {
  readonly server: number;
  readonly client: number;
}

/** One way, as the receiver saw it. */
export interface ThroughputSample {
  readonly sizeBytes: number;
  readonly payloads: PayloadKind;
  /** Connections that sent. */
  readonly active: number;
  /** Messages the handler got; checked to be all that were sent. */
  readonly messages: number;
  /** From the first message to the last, at the receiver. */
  readonly seconds: number;
  readonly messagesPerSecond: number;
  /** Payload, in units of 10^6 bytes. */
  readonly megabytesPerSecond: number;
  readonly server: CpuTime;
  readonly client: CpuTime;
  readonly peakBytes: PeakBytes;
}

/** Round trips, as the client saw them. */
export interface RoundTripSample {
  readonly sizeBytes: number;
  /** Under way at once. */
  readonly depth: number;
  readonly roundTrips: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly rttMs: RoundTripTimes;
  readonly server: CpuTime;
  readonly client: CpuTime;
}

/** What the collectors of both ends had to do for so many messages one way. */
export interface GcSample {
  readonly sizeBytes: number;
  readonly messages: number;
  readonly server: GcCount;
  readonly client: GcCount;
}

/** What the server says at End. */
export interface ServerCount {
  readonly messages: number;
  readonly bytes: number;
  readonly pings: number;
  readonly elapsedMs: number;
  readonly cpu: CpuTime;
  readonly peakBytes: number;
}

/** What the client says after it sent End. */
export interface ClientCount {
  readonly messages: number;
  readonly elapsedMs: number;
  readonly cpu: CpuTime;
  readonly peakBytes: number;
  readonly rttMs?: RoundTripTimes | undefined;
}

export function cpuTimeSince(start: NodeJS.CpuUsage): CpuTime {
  const { user, system } = process.cpuUsage(start);
  return { userUs: user, systemUs: system };
}

export function throughputSample(
  task: StreamTask,
  server: ServerCount,
  client: ClientCount,
): ThroughputSample {
  const seconds = server.elapsedMs / 1000;
  return {
    sizeBytes: task.sizeBytes,
    payloads: task.payloads ?? 'hot',
    active: task.active ?? 1,
    messages: server.messages,
    seconds,
    messagesPerSecond: server.messages / seconds,
    megabytesPerSecond: server.bytes / seconds / 1e6,
    server: server.cpu,
    client: client.cpu,
    peakBytes: { server: server.peakBytes, client: client.peakBytes },
  };
}

export function roundTripSample(
  task: RequestTask,
  server: ServerCount,
  client: ClientCount,
): RoundTripSample {
  const seconds = client.elapsedMs / 1000;
  return {
    sizeBytes: task.sizeBytes,
    depth: task.depth ?? 1,
    roundTrips: client.messages,
    seconds,
    perSecond: client.messages / seconds,
    rttMs: client.rttMs!,
    server: server.cpu,
    client: client.cpu,
  };
}
