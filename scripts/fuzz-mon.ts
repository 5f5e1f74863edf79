/**
 * Mutated messages of every type to a monitor of this project: the sender's session ends when they do not
 * decode, they are taken when they do, the monitor goes on.
 *
 *   node --import tsx scripts/fuzz-mon.ts [--seed N]        for MSGR2_FUZZ_SECONDS (60)
 *
 * A failure prints seed, execution and bytes.
 */
import { parseArgs } from 'node:util';
import { fuzzMonitor } from '../test/mon/server/hostile/fuzz.ts';
import { openMonitor } from '../test/mon/server/hostile/hostile-clients.ts';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' } } });
const seconds = Number(process.env.MSGR2_FUZZ_SECONDS ?? 60);
const seed = Number(values.seed);
Error.stackTraceLimit = 5;
const monitor = await openMonitor();
const started = performance.now();
const isOver = (): boolean => performance.now() - started >= seconds * 1000;
const { accepted, executions, refused } = await fuzzMonitor(monitor, seed, isOver);
const epoch = monitor.osdMap.epoch;
await monitor.close();
const failure = await monitor.ended;
if (failure !== undefined) throw failure;
console.log(
  `seed ${seed}: ${executions} messages in ${seconds} s, ${accepted} taken, ${refused} ended their session; osdmap epoch ${epoch}`,
);
console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
