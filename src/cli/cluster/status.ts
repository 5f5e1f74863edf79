/** `msgr2 status`: what `ceph status` answers. */
import { Command } from 'commander';
import { printAnswer } from './answer.ts';
import { addClusterFlags, type ClusterFlags, formatOption, outputFormats } from './flags.ts';
import { openCluster } from './open-cluster.ts';

export function statusCommand(): Command {
  const command = new Command('status').description("the cluster's health, as 'ceph status' shows it");
  return addClusterFlags(command.addOption(formatOption(...outputFormats))).action(status);
}

async function status(flags: ClusterFlags & { format?: string }): Promise<void> {
  await using cluster = await openCluster(flags);
  const { format } = flags;
  const answer = cluster.client.command({ prefix: 'status', ...(format === undefined ? {} : { format }) });
  process.exitCode = await printAnswer(answer, { format });
}
