/** The file systems that a cluster of this monitor does not have. */
import { Errno } from '../../../../auth/errno.ts';
import type { CommandDefinition } from '../command.ts';
import { answer, failed, formatJson, isJson } from '../reply.ts';

const mds = { module: 'mds', permissions: 'r' } as const;
const epoch = 1;

const defaultFeatures = {
  feature_1: 'base v0.20',
  feature_2: 'client writeable ranges',
  feature_3: 'default file layouts on dirs',
  feature_4: 'dir inode in separate object',
  feature_5: 'mds uses versioned encoding',
  feature_6: 'dirfrag is stored in omap',
  feature_8: 'no anchor table',
  feature_9: 'file layout v2',
  feature_10: 'snaprealm v2',
};

const fsMapJson = {
  epoch,
  default_fscid: -1,
  compat: { compat: {}, ro_compat: {}, incompat: defaultFeatures },
  feature_flags: { enable_multiple: true, ever_enabled_multiple: true },
  standbys: [],
  filesystems: [],
};

function fsMapText(): string {
  const features = Object.entries(defaultFeatures)
    .map(([name, text]) => `${name.replace('feature_', '')}=${text}`)
    .join(',');
  return [
    `e${epoch}`,
    'enable_multiple, ever_enabled_multiple: 1,1',
    `default compat: compat={},rocompat={},incompat={${features}}`,
    'legacy client fscid: -1',
    ' ',
    'No filesystems configured',
    '',
  ].join('\n');
}

export const fsCommands: readonly CommandDefinition[] = [
  {
    ...mds,
    signature: 'mds stat',
    help: 'show metadata servers',
    flags: 32,
    run: ({ format }) =>
      isJson(format)
        ? answer(
            formatJson(
              { fsmap: fsMapJson, mdsmap_first_committed: epoch, mdsmap_last_committed: epoch },
              format,
            ),
          )
        : answer(''),
  },
  {
    ...mds,
    signature: 'fs dump name=epoch,type=CephInt,range=0,req=false',
    help: 'show the fsmap',
    run({ args, format }) {
      const wanted = args.number('epoch') ?? 0;
      if (wanted !== 0 && wanted !== epoch)
        return failed(Errno.ENOENT, `there is no map for epoch ${wanted}`);
      return answer(
        isJson(format) ? formatJson(fsMapJson, format) : fsMapText(),
        `dumped fsmap epoch ${epoch}`,
      );
    },
  },
  {
    ...mds,
    signature: 'mds metadata name=who,type=CephString,req=false',
    help: 'what metadata servers tell of their machines',
    run: ({ format }) => answer(formatJson([], format)),
  },
  {
    ...mds,
    signature: 'mds versions',
    help: 'how many metadata servers run each version',
    run: ({ format }) => answer(formatJson({}, format)),
  },
  {
    module: 'fs',
    permissions: 'r',
    signature: 'fs ls',
    help: 'list file systems',
    run: ({ format }) => answer(isJson(format) ? formatJson([], format) : 'No filesystems enabled\n'),
  },
  {
    module: 'fs',
    permissions: 'r',
    signature: 'fs get name=fs_name,type=CephString',
    help: 'show one file system',
    run: ({ args }) => failed(Errno.ENOENT, `filesystem '${args.text('fs_name')}' not found`),
  },
];
