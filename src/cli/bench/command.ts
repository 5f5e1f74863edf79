/** `msgr2 bench`: how fast two msgr2 processes of this machine talk over loopback. */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { nativeAvailable } from '../../native.ts';
import type { Options } from '../../options.ts';
import { CliError } from '../cli-error.ts';
import { LiveLine } from '../live-line.ts';
import { byteSize, listOf, messengerOption, oneOf, seconds } from '../values.ts';
import { describeMachine, machineText } from './machine.ts';
import type { DispatcherKind, ModeKind } from './msgr2-ends.ts';
import { resultTable } from './report.ts';
import { runBench } from './run.ts';
import { variantsOf } from './variants.ts';

interface BenchFlags {
  transport?: ('async' | 'simple')[];
  dispatcher: DispatcherKind[];
  mode: ModeKind[];
  sizes: number[];
  seconds: number;
  pingSize: number;
  ping: boolean;
  json?: string;
  option: Partial<Options>;
}

/** Sizes of issue and README; a size of 0 would have no first byte to read. */
export const benchSizesBytes = [64, 1024, 4096, 64 * 1024, 1024 * 1024] as const;
const sizeBytesMax = 64 * 1024 * 1024;

export function benchCommand(): Command {
  return new Command('bench')
    .description('messages per second and round trips between two processes, over loopback')
    .option(
      '--transport <list>',
      'async, simple (default: those that run here)',
      listOf(oneOf('async', 'simple')),
    )
    .option(
      '--dispatcher <list>',
      'default, borrowing (keeps no payload; async only), queued',
      listOf(oneOf('default', 'borrowing', 'queued')),
      ['default', 'borrowing'],
    )
    .option(
      '--mode <list>',
      'crc (checked for damage), secure (encrypted, with a key of its own)',
      listOf(oneOf('crc', 'secure')),
      ['crc'],
    )
    .option('--sizes <list>', 'payload sizes', listOf(byteSize), [...benchSizesBytes])
    .option('--seconds <n>', 'measured time of each figure', seconds(0.01, 3600), 1)
    .option('--ping-size <bytes>', 'payload of a ping', byteSize, 64)
    .option('--no-ping', 'no round trips')
    .option('--json <file>', "write everything as JSON; '-' is standard output")
    .option('-o, --option <name=value>', 'an option of both messengers; repeatable', messengerOption, {})
    .action((flags: BenchFlags) => bench(flags));
}

async function bench(flags: BenchFlags): Promise<void> {
  for (const size of [...flags.sizes, flags.pingSize]) {
    if (size < 1 || size > sizeBytesMax) {
      throw new CliError(`a payload of ${size} bytes: from 1 byte to 64 MiB can be measured`, {
        exitCode: 2,
      });
    }
  }
  const transports = flags.transport ?? (nativeAvailable() ? ['async', 'simple'] : ['simple']);
  const live = new LiveLine(flags.json === '-' ? process.stderr : process.stdout);
  const machine = describeMachine();
  live.print(`msgr2 bench: two processes, one connection over loopback, mode ${flags.mode.join(', ')}`);
  live.print(`${machineText(machine)}\n`);
  if (flags.transport === undefined && !nativeAvailable()) {
    live.print(`the native core is not there, so only 'simple' is measured\n`);
  }
  const results = await runBench(
    {
      variants: variantsOf(transports, flags.dispatcher, flags.mode),
      sizesBytes: flags.sizes,
      pingBytes: flags.ping ? flags.pingSize : undefined,
      seconds: flags.seconds,
      options: flags.option,
    },
    live,
  );
  live.print(`\n${resultTable(results)}`);
  if (flags.json === undefined) return;
  const json = `${JSON.stringify({ machine, seconds: flags.seconds, options: flags.option, results }, undefined, 2)}\n`;
  if (flags.json === '-') process.stdout.write(json);
  else writeFileSync(flags.json, json);
}
