/** What must be true of all connections together, when nothing moves any more. */
import type { PeerConnection } from '../../src/messenger/peer-connection.ts';
import type { Process } from './process.ts';
import { hostOf, peerOf } from './process.ts';

/**
 * One line for each thing that is wrong. `resetReasons` counts how often one of two entities marked down a
 * connection to the other, or died, and what follows from that: the only reasons for a reset of a lossless session.
 */
export function sessionProblems(
  processes: readonly Process[],
  resetReasons: (one: number, other: number) => number,
): string[] {
  const problems: string[] = [];
  for (const process of processes) {
    const seen = new Set<string>();
    for (const connection of process.messenger.connections() as PeerConnection[]) {
      const { name } = process.linkOf(connection);
      const { key } = connection.peerAddrs;
      if (seen.has(key)) problems.push(`session: ${name} is not the only one to its peer`);
      seen.add(key);
      const peer = processes.find(
        ({ entity, nonce }) =>
          hostOf(entity) === connection.peerAddrs.front!.host && nonce === connection.peerAddrs.front!.nonce,
      );
      if (peer === undefined) problems.push(`session: ${name} leads nowhere`);
      else if (connection.state === 'open') problems.push(...counterpartProblems(process, connection, peer));
    }
    problems.push(...eventProblems(process, resetReasons));
  }
  return problems;
}

/** A connection in session has one at the other end, in the same session. */
function counterpartProblems(process: Process, connection: PeerConnection, peer: Process): string[] {
  const { name } = process.linkOf(connection);
  const back = (peer.messenger.connections() as PeerConnection[]).filter(({ peerAddrs: { front } }) => {
    return front!.host === hostOf(process.entity) && front!.nonce === process.nonce;
  });
  if (back.length !== 1)
    return [`session: ${name} is open, and its peer has ${back.length} connections to it`];
  const other = back[0]!;
  if (other.state !== 'open') return [`session: ${name} is open, and its peer's end is ${other.state}`];
  // It is the client's cookie that a reconnect must show. Each end may have a server cookie of its own: when
  // both take up an interrupted establishment at once, both answer, and neither answer arrives (in Ceph too).
  if (connection.session.clientCookie !== other.session.clientCookie) {
    return [`session: ${name} and its peer's end have different cookies`];
  }
  return [];
}

/** Every reset was told, and told once, and had a reason. */
function eventProblems(process: Process, resetReasons: (one: number, other: number) => number): string[] {
  const problems: string[] = [];
  for (const link of process.links.values()) {
    const { resets } = link.connection;
    const reasons = resetReasons(process.entity, peerOf(link.connection));
    if (!link.policy.lossy && resets > reasons) {
      problems.push(`reset: ${link.name} had ${resets} resets, and there were ${reasons} reasons for one`);
    }
    if (link.mustDrain && link.connection.state !== 'closed') {
      problems.push(`event: ${link.name} is empty, and its sender is still waiting for drain`);
    }
    if (link.resetEvents === resets) continue;
    problems.push(
      `event: ${link.name} had ${resets} resets, and its dispatcher heard of ${link.resetEvents}`,
    );
  }
  return problems;
}
