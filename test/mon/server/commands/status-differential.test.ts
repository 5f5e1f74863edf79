/**
 * The same commands, in the same order, to a real ceph-mon and to our monitor: error numbers, lines for the
 * operator, plain and JSON output agree in everything that is not a time, an id, a version or of the machine.
 * What is excused stands in the table below, and what of it really differed is printed.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MonCommandError } from '../../../../src/mon/client/command-error.ts';
import type { MonCommand } from '../../../../src/mon/client/commands.ts';
import type { MonClient } from '../../../../src/mon/client/mon-client.ts';
import { CephCluster, requireCeph } from '../../../support/ceph-cluster.ts';
import { clusterClient } from '../../../support/cluster-client.ts';
import { differences } from './differences.ts';
import { type Asked, commands } from './operators-commands.ts';

/** Of JSON answers: path, and why it may differ. */
const excused: readonly [RegExp, string][] = [
  [/(^|\.)(fsid|key|global_id|nonce|addr|public_addr|addrs)$/, 'id'],
  [/(^|\.)(stamp|modified|created|timestamp|ttl|quorum_age|osd_up_since|osd_in_since)$/, 'time'],
  [/(^|\.)election_epoch$|^timechecks\.epoch$/, 'id: nobody votes in a quorum of one that cannot grow'],
  [/ceph_version|^(\[\d+\]\.)?implementation$|^(mon|overall|osd|)\.?(ceph|msgr2) version /, 'version'],
  [/^(\[0\]\.)?(compression_algorithms|container_\w+|device\w*|mem_\w+|cpu|distro\w*|kernel_\w+)/, 'machine'],
  [/^mon_status \(order\)$/, 'order'],
  [/\[\d+\]\.(seq|message)$|(^|\.)num$/, 'id: how many entries and connections there were before'],
];

interface Answer {
  readonly result: number;
  readonly status: string;
  readonly output: string;
}

async function ask(client: MonClient, { command, input, target }: Asked): Promise<Answer> {
  const options = {
    timeoutMs: 15_000,
    ...(input !== undefined && { input: Buffer.from(input) }),
    ...(target !== undefined && { target }),
  };
  try {
    const { code, output, status } = await client.command(command as MonCommand, options);
    return { result: code, status, output: output.toString() };
  } catch (error) {
    if (!(error instanceof MonCommandError)) throw error;
    return { result: -error.errno, status: error.status, output: error.output.toString() };
  }
}

/** Ids, times, versions and addresses of texts. */
function masked(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'FSID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(Z|\+0000)/g, 'TIME')
    .replaceAll(/AQ[A-Za-z0-9+/]{36}==/g, 'KEY')
    .replaceAll(/\(age [\w.]+\)/g, '(age AGE)')
    .replaceAll(/\((since )?[\d.]+[smh]\)/g, '($1AGE)')
    .replaceAll(/127\.\d+\.0\.1:3300\/0/g, 'ADDR')
    .replaceAll(/election epoch \d+/g, 'election epoch N')
    .replaceAll(/"(ceph|msgr2) version [^"]*"/g, '"VERSION"');
}

function parse(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

type Description = { sig: (string | object)[]; module: string; perm: string; flags: number };

/** By words; those with one prefix together. */
async function describedBy(client: MonClient): Promise<Map<string, Description[]>> {
  const { output } = await client.command({ prefix: 'get_command_descriptions' });
  const described = new Map<string, Description[]>();
  for (const command of Object.values(JSON.parse(output.toString()) as Record<string, Description>)) {
    const words = command.sig.filter((part) => typeof part === 'string').join(' ');
    described.set(words, [...(described.get(words) ?? []), command]);
  }
  return described;
}

/** Bits of commands that a manager answers, which ours says itself that there is none of. */
const flagManager = 1 << 3;

/** What we offer has Ceph's syntax, and needs what Ceph's needs: tools and capabilities go by both. */
async function compareDescriptions([real, ours]: readonly [MonClient, MonClient]): Promise<string[]> {
  const [theirs, own] = [await describedBy(real), await describedBy(ours)];
  const problems: string[] = [];
  let compared = 0;
  const shape = (command: Description): string => {
    // The value is written as "false", "False" or "fasle"; order of keys and flags of Ceph's own aside.
    const parts = command.sig.map((part) =>
      typeof part === 'string'
        ? part
        : Object.entries(part)
            .map((pair) => pair.join('=').toLowerCase().replace('fasle', 'false'))
            .sort(),
    );
    return JSON.stringify({ parts, module: command.module, perm: command.perm });
  };
  for (const [words, commands] of own) {
    const known = theirs.get(words);
    // Those of a manager's modules are described by a manager only.
    if (known === undefined || known.some(({ flags }) => (flags & flagManager) !== 0)) continue;
    compared++;
    for (const command of commands) {
      if (known.some((candidate) => shape(candidate) === shape(command))) continue;
      problems.push(`description of '${words}'\n    real ${known.map(shape)}\n    ours ${shape(command)}`);
    }
  }
  assert.ok(compared > 60, `${compared} descriptions`);
  return problems;
}

test('a real ceph-mon and ours answer the same', async () => {
  if (!requireCeph()) return;
  const options = { auth: 'cephx' } as const;
  const [real, ours] = await Promise.all([
    CephCluster.start(options),
    CephCluster.start({ ...options, monitor: 'ours' }),
  ]);
  const clients = [clusterClient(real).client, clusterClient(ours).client] as const;
  const unexcused: string[] = [];
  const excusedPaths = new Map<string, Set<string>>();
  try {
    unexcused.push(...(await compareDescriptions(clients)));
    for (const asked of commands) {
      const [theirs, own] = await Promise.all(clients.map((client) => ask(client, asked)));
      const what = JSON.stringify(asked.command);
      const differ = (path: string, one: unknown, other: unknown): void => {
        unexcused.push(`${what} ${path}\n    real ${JSON.stringify(one)}\n    ours ${JSON.stringify(other)}`);
      };
      if (theirs!.result !== own!.result) differ('result', theirs, own);
      const skipsStatus = asked.excuseStatus !== undefined;
      if (!skipsStatus && masked(theirs!.status) !== masked(own!.status)) {
        differ('status', theirs!.status, own!.status);
      }
      const [one, other] = [parse(theirs!.output), parse(own!.output)];
      if (typeof one !== 'object' || asked.isText) {
        const [text, ownText] = [masked(theirs!.output), masked(own!.output)];
        if (asked.excuseOutput === undefined && text !== ownText) differ('output', text, ownText);
        continue;
      }
      for (const { ours: mine, path, real: theirsAt } of differences(one, other)) {
        const reason = excused.find(([pattern]) => pattern.test(path))?.[1] ?? asked.excuseOutput;
        if (reason === undefined) differ(path, theirsAt, mine);
        else {
          const paths = excusedPaths.get(reason) ?? new Set();
          excusedPaths.set(reason, paths.add(`${asked.command.prefix}: ${path}`));
        }
      }
    }
  } finally {
    await Promise.all([...clients.map((client) => client.close()), real.stop(), ours.stop()]);
  }
  console.log(`${commands.length} commands; what differed and may:`);
  for (const [reason, paths] of excusedPaths) {
    const shown = [...paths].slice(0, 12).join(', ');
    console.log(`  ${reason}: ${shown}${paths.size > 12 ? ` and ${paths.size - 12} more` : ''}`);
  }
  assert.is(unexcused.length, 0, `\n${unexcused.join('\n')}`);
});

test.run();
