/**
 * Kills a monitor of ours at random moments under load, and checks after each death that nothing it had
 * said is lost or torn (test/mon/server/support/mon-kill).
 *
 *     node --import tsx scripts/mon-kill.ts [--kills 1000] [--seed N]
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Random } from '../src/transport/memory/random.ts';
import { runKills } from '../test/mon/server/support/mon-kill/kill-run.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '1000' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? randomInt(2 ** 31));
const random = new Random(seed);
const kills = Number(values.kills);
console.log(`${kills} kills, seed ${seed} (of the moments; what the load does meanwhile differs)`);
const startedMs = performance.now();
const result = await runKills({
  kills,
  host: `127.${randomInt(16, 250)}.${randomInt(1, 250)}.1`,
  random: () => random.next() / 2 ** 32,
  onKill(done, { counts, newestEpoch }) {
    if (done % Math.max(1, Math.round(kills / 20)) !== 0) return;
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    console.log(`${done} kills, ${seconds} s: epoch ${newestEpoch}, ${JSON.stringify(counts)}`);
  },
});
const { counts } = result.ledger;
console.log(
  `started ${result.kills + 1} times of ${result.kills + 1}, ${result.killsWhileStarting} killed before they were ready; ` +
    `${result.epochs} epochs, ${counts.maps} maps and ${counts.keys} keys told and found again, none lost, none torn; ` +
    `slowest start ${Math.round(result.startMsMax)} ms`,
);
process.exit(0);
