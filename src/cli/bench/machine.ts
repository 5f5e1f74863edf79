/** Where figures were measured; without it they mean little. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, type } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  /** Of the system's TCP sockets; `unknown` where it cannot be read. */
  readonly congestionControl: string;
  readonly node: string;
  /** Of the last minute, before the run: what else the machine was doing. */
  readonly load: number;
  readonly date: string;
}

export function describeMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() || 'unknown',
    cores: cores.length,
    kernel: `${type()} ${release()}`,
    congestionControl: readLine('/proc/sys/net/ipv4/tcp_congestion_control') ?? 'unknown',
    node: process.version,
    load: Math.round(loadavg()[0]! * 100) / 100,
    date: new Date().toISOString(),
  };
}

export function machineText(machine: Machine): string {
  const { cpu, cores, kernel, congestionControl, node, load } = machine;
  return `${cpu}, ${cores} cores, ${kernel}, TCP ${congestionControl}, Node ${node}, load ${load}`;
}

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
