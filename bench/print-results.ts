/** A run's report, for people. */
import type { LiveLine } from '../src/cli/live-line.ts';
import { type Goal, goalsOf, isForbidden } from './goals.ts';
import { osdPingTable } from './osd-pings.ts';
import type { Results } from './results.ts';
import { connectionsTable, fairnessTable, goalTable, peerTables, ratioOf, ratioTable } from './table.ts';

export function printResults(results: Results, live: LiveLine): void {
  const { plan, peers, connections, osdPings, missing } = results;
  const print = (text: string) => live.print(`\n${text}`);
  for (const table of peerTables(peers, plan.sizesBytes)) print(table);
  if (connections.length > 0) print(connectionsTable(connections));
  if (osdPings.length > 0) print(osdPingTable(osdPings));
  print(fairnessTable(peers));
  const rounds = plan.rounds === 1 ? 'one round' : `${plan.rounds} rounds`;
  print(`Medians of ${rounds} of ${plan.seconds} s; ± is half of what the rounds differ by.`);
  for (const { name, reason } of missing) live.print(`not measured: ${name} (${reason})`);
}

/** What was to be reached; only of a run that measured something of it. */
export function printGoals(results: Results, live: LiveLine): Goal[] {
  const goals = goalsOf(results);
  const measured = goals.filter(({ ratio }) => ratio !== null);
  if (measured.length === 0) return goals;
  const reached = goals.filter(({ ok }) => ok).length;
  const rest = goals.length - measured.length;
  const restText = rest === 0 ? '' : `, ${rest} not measured`;
  const forbidden = measured.filter((goal) => !goal.ok && isForbidden(goal)).length;
  const forbiddenText = forbidden === 0 ? '' : `, ${forbidden} are beyond what that part alone reaches here`;
  live.print(`\n${goalTable(measured)}\n\n${reached} of ${goals.length} reached${forbiddenText}${restText}`);
  return goals;
}

/** This revision over another one, each kind of messenger beside its twin. */
export function printTwins(results: Results, twins: ReadonlyMap<string, string>, live: LiveLine): void {
  const { peers, plan } = results;
  const ratios = [...twins].flatMap(([own, other]) => {
    const left = peers.find(({ name }) => name === own);
    const right = peers.find(({ name }) => name === other);
    return left && right ? [ratioOf(left, right, plan.sizesBytes)] : [];
  });
  const table = ratioTable(ratios, plan.sizesBytes);
  if (table !== '') live.print(`\n${table}`);
}
