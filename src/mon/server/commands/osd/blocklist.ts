/** Clients that every OSD refuses, each for a time. */
import { legacyAddr } from '../../../../maps/osdmap-json.ts';
import { AddrType, EntityAddr } from '../../../../wire/entity-addr.ts';
import { utimeFromMs, utimeToString } from '../../../../wire/utime.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { answer, done, formatJson, isJson } from '../reply.ts';
import { committed, OsdErrno, refusal } from './shared.ts';

const shared = { module: 'osd', permissions: 'rw' } as const;

/** Ranges came with later releases; 16.2.15 describes them, and its maps have no place for them here. */
const range = 'name=range,type=CephString,goodchars=[range],req=false ';

/** The second word is Ceph's old one. */
export const blocklistCommands: readonly CommandDefinition[] = (['blocklist', 'blacklist'] as const).flatMap(
  (word): CommandDefinition[] => {
    const flags = word === 'blocklist' ? 0 : 4;
    return [
      {
        ...shared,
        signature:
          `osd ${word} ${word === 'blocklist' ? range : ''}name=${word}op,type=CephChoices,strings=add|rm ` +
          'name=addr,type=CephEntityAddr name=expire,type=CephFloat,range=0.0,req=false',
        help: 'refuse an address, or no longer',
        flags,
        run: (context) => change(context, context.args.text(`${word}op`) === 'add'),
      },
      {
        ...shared,
        permissions: 'r',
        signature: `osd ${word} ls`,
        help: 'addresses that are refused, and until when',
        flags,
        run: list,
      },
      {
        ...shared,
        signature: `osd ${word} clear`,
        help: 'refuse no address any more',
        flags,
        run({ monitor }) {
          const { base, change: pending } = monitor.pendingOsdMap;
          pending.newBlocklist.clear();
          for (const { addr } of base.blocklist.values()) pending.oldBlocklist.push(addr);
          return committed(monitor, ' removed all blocklist entries');
        },
      },
    ];
  },
);

function list({ format, monitor: { osdMap } }: CommandContext): CommandReply {
  const entries = [...osdMap.blocklist.values()].map(({ addr, until }) => ({
    addr: legacyAddr(addr),
    until: utimeToString(until),
  }));
  const message = `listed ${entries.length} entries`;
  if (isJson(format)) return answer(formatJson(entries, format), message);
  return answer(entries.map(({ addr, until }) => `${addr} ${until}\n`).join(''), message);
}

function change({ args, monitor }: CommandContext, isAdded: boolean): CommandReply | Promise<CommandReply> {
  const text = args.text('addr')!;
  if (args.text('range') !== undefined)
    throw refusal(OsdErrno.EOPNOTSUPP, 'ranges of addresses cannot be blocklisted');
  // An address of a client counts whatever protocol it speaks: a type would bind it to one.
  const parsed = EntityAddr.parse(/\/\d+$/.test(text) ? text : `${text}/0`, AddrType.Any);
  const addr = parsed.type === AddrType.Any ? parsed : EntityAddr.parse(legacyAddr(parsed), AddrType.Any);
  const { base, change: pending } = monitor.pendingOsdMap;
  const { key } = addr;
  if (isAdded) {
    const seconds = args.number('expire') ?? monitor.options.mon_osd_blocklist_default_expire;
    const until = utimeFromMs(monitor.wallMs() + seconds * 1000);
    pending.newBlocklist.set(key, { addr, until });
    return committed(
      monitor,
      `blocklisting ${legacyAddr(addr)} until ${utimeToString(until)} (${seconds} sec)`,
    );
  }
  if (!base.blocklist.has(key) && !pending.newBlocklist.has(key)) {
    return done(`${legacyAddr(addr)} isn't blocklisted`);
  }
  if (base.blocklist.has(key)) pending.oldBlocklist.push(addr);
  else pending.newBlocklist.delete(key);
  return committed(monitor, `un-blocklisting ${legacyAddr(addr)}`);
}
