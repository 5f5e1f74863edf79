/** Who is measured: by name, or all that can run here; or this msgr2 and its twin of another revision. */
import { CliError } from '../src/cli/cli-error.ts';
import type { Checkout } from './against.ts';
import { type FoundPeers, findPeers } from './peer.ts';
import { twinPeers } from './peers/msgr2.ts';

export async function choosePeers(
  wanted: readonly string[] | undefined,
  other: Checkout | undefined,
): Promise<FoundPeers & { twins: ReadonlyMap<string, string> }> {
  const found = await findPeers();
  if (other === undefined) return { ...byName(found, wanted), twins: new Map() };
  const pairs = twinPeers(other).filter(([own]) => own.missing?.() === undefined);
  const chosen = byName({ peers: pairs.map(([own]) => own), missing: [] }, wanted).peers;
  const both = pairs.filter(([own]) => chosen.includes(own));
  return {
    peers: both.flat(),
    missing: [],
    twins: new Map(both.map(([own, twin]) => [own.name, twin.name])),
  };
}

function byName(found: FoundPeers, wanted: readonly string[] | undefined): FoundPeers {
  if (wanted === undefined) return found;
  const all = [...found.peers, ...found.missing].map(({ name }) => name);
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    throw new CliError(`no peer is named ${unknown.join(', ')}; there are ${all.join(', ')}`, {
      exitCode: 2,
    });
  }
  return {
    peers: found.peers.filter(({ name }) => wanted.includes(name)),
    missing: found.missing.filter(({ name }) => wanted.includes(name)),
  };
}
