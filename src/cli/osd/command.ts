/** `msgr2 osd`: the OSD daemon, in the foreground until SIGTERM or SIGINT; or `--mkfs`, `--mkkey`. */
import { Command } from 'commander';
import { aesWarningCode } from '../../auth/cephx/cipher-policy.ts';
import { silenceWarning } from '../warnings.ts';
import { addOsdFlags, type OsdFlags, osdConfigOf } from './flags.ts';
import { makeFolder, makeKey } from './mkfs.ts';

export function osdCommand(): Command {
  const command = new Command('osd').description(
    'an OSD daemon on two networks, with heartbeats and without objects',
  );
  return addOsdFlags(command).action((flags: OsdFlags) => run(flags));
}

async function run(flags: OsdFlags): Promise<void> {
  const config = osdConfigOf(flags);
  for (const warning of config.warnings) process.stderr.write(`${warning}; the default is used\n`);
  // Keys of Ceph 16 are all of this type, and the daemon's log is no place to say so at each start.
  silenceWarning(aesWarningCode);
  if (flags.mkkey) process.stderr.write(`${makeKey(config)}\n`);
  if (flags.mkfs) process.stderr.write(`${makeFolder(config, flags.osdUuid)}\n`);
  if (flags.mkkey || flags.mkfs) return;
  // Loaded when it is wanted: the other commands of `msgr2` start without it.
  const { serve } = await import('./serve.ts');
  await serve(config, flags);
}
