/** The manager that a cluster of this monitor does not have, as Ceph shows one that never was. */
import { Errno } from '../../../../auth/errno.ts';
import { Release, releaseName } from '../../../../maps/states.ts';
import { alwaysOnMgrModules, emptyMgrMapEpoch, mgrModules } from '../../mgr-map.ts';
import type { CommandDefinition } from '../command.ts';
import { answer, done, failed, formatJson } from '../reply.ts';

const reads = { module: 'mgr', permissions: 'r' } as const;

export const mgrCommands: readonly CommandDefinition[] = [
  {
    ...reads,
    signature: 'mgr stat',
    help: 'whether there is an active manager',
    run: ({ format }) =>
      answer(
        formatJson({ epoch: emptyMgrMapEpoch, available: false, active_name: '', num_standby: 0 }, format),
      ),
  },
  {
    ...reads,
    signature: 'mgr dump name=epoch,type=CephInt,range=0,req=false',
    help: 'show the mgrmap',
    run({ args, format }) {
      const epoch = args.number('epoch') ?? 0;
      if (epoch !== 0 && epoch !== emptyMgrMapEpoch) {
        return failed(Errno.ENOENT, `there is no map for epoch ${epoch}`);
      }
      return answer(formatJson(mgrMapJson, format));
    },
  },
  {
    ...reads,
    signature: 'mgr module ls',
    help: 'modules that a manager would run',
    run: ({ format }) =>
      answer(
        formatJson(
          {
            always_on_modules: alwaysOnMgrModules.get(Release.pacific),
            enabled_modules: mgrModules,
            disabled_modules: [],
          },
          format,
        ),
      ),
  },
  {
    ...reads,
    signature: 'mgr services',
    help: 'services that modules of the manager offer',
    run: ({ format }) => answer(formatJson({}, format)),
  },
  {
    ...reads,
    signature: 'mgr metadata name=who,type=CephString,req=false',
    help: 'what managers tell of their machines',
    run({ args, format }) {
      const who = args.text('who');
      return who === undefined
        ? answer(formatJson([], format))
        : failed(Errno.ENOENT, `mgr.${who} does not exist`);
    },
  },
  ...['mgr versions', 'mgr count-metadata name=property,type=CephString'].map(
    (signature): CommandDefinition => ({
      ...reads,
      signature,
      help: 'how many managers have each value',
      run: ({ format }) => answer(formatJson({}, format)),
    }),
  ),
  {
    module: 'mgr',
    permissions: 'rw',
    signature: 'mgr fail name=who,type=CephString,req=false',
    help: 'have another manager take over',
    run({ args }) {
      const who = args.text('who');
      return done(
        who === undefined ? 'Currently no active mgr' : `Daemon not found '${who}', already failed?`,
      );
    },
  },
];

const mgrMapJson = {
  epoch: emptyMgrMapEpoch,
  active_gid: 0,
  active_name: '',
  active_addrs: { addrvec: [] },
  active_addr: '(unrecognized address family 0)/0',
  active_change: '0.000000',
  active_mgr_features: 0,
  available: false,
  standbys: [],
  modules: mgrModules,
  available_modules: [],
  services: {},
  always_on_modules: Object.fromEntries(
    [...alwaysOnMgrModules].map(([release, modules]) => [releaseName(release), modules]),
  ),
  last_failure_osd_epoch: 0,
  active_clients: [],
};
