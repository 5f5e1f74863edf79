/** The OSD daemon in this process, with its admin socket and metrics, until a signal or the cluster ends it. */
import { once } from 'node:events';
import type { CephConfig } from '../../config/ceph-config.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { AdminSocket } from '../../osd/admin/admin-socket.ts';
import { osdMetrics } from '../../osd/admin/metrics.ts';
import { MetricsServer } from '../../osd/admin/metrics-server.ts';
import { OsdDaemon } from '../../osd/daemon/osd-daemon.ts';
import { workerHeartbeat } from '../../osd/daemon/worker-heartbeat.ts';
import { OsdData } from '../../osd/store/osd-data.ts';
import type { OsdFlags } from './flags.ts';

export async function serve(config: CephConfig, flags: OsdFlags): Promise<void> {
  const data = await OsdData.open(config.get('osd_data')!, flags.id);
  const daemon = new OsdDaemon({
    config,
    data,
    log: logOf(config, flags),
    makeHeartbeat: workerHeartbeat,
  });
  const stopped = once(daemon, 'stopped');
  const onSignal = stopOnSignal(daemon);
  try {
    await daemon.start();
    await using _admin = await listenAdmin(config, daemon);
    await using _metrics =
      flags.metrics === undefined
        ? undefined
        : await MetricsServer.listen(flags.metrics, () => osdMetrics(daemon));
    await stopped;
  } catch (error) {
    // Told to stop before it had started: that is no failure.
    const isStopped = error instanceof MsgrError && error.code === ErrorCode.Closed && onSignal.wasCalled;
    if (!isStopped) throw error;
  } finally {
    await daemon.stop();
    onSignal.off();
  }
}

/** Without the socket the OSD does its work all the same, as ceph-osd does. */
async function listenAdmin(config: CephConfig, daemon: OsdDaemon): Promise<AdminSocket | undefined> {
  const path = config.get('admin_socket');
  if (path === undefined || path === '') return undefined;
  try {
    return await AdminSocket.listen(path, daemon.commands);
  } catch (error) {
    if (!(error instanceof MsgrError)) throw error;
    process.stderr.write(`${error.message}; the OSD runs without it\n`);
    return undefined;
  }
}

/** The first signal has it say goodbye, the second ends the process at once. */
function stopOnSignal(daemon: OsdDaemon): { readonly wasCalled: boolean; off(): void } {
  const names = { SIGTERM: 'Terminated', SIGINT: 'Interrupt' } as const;
  let wasCalled = false;
  const onSignal = (signal: keyof typeof names): void => {
    daemon.log(-1, `*** Got signal ${names[signal]} ***`);
    if (wasCalled) process.exit(1);
    wasCalled = true;
    void daemon.stop();
  };
  // Each line of the log opens its file anew: a log that was moved away needs nothing more.
  const onHangup = (): void => daemon.log(0, 'got signal Hangup');
  process.on('SIGHUP', onHangup);
  for (const name of Object.keys(names)) process.on(name, onSignal);
  return {
    get wasCalled() {
      return wasCalled;
    },
    off: () => {
      process.off('SIGHUP', onHangup);
      for (const name of Object.keys(names)) process.off(name, onSignal);
    },
  };
}

/** To `log_file` when there is one, else to standard error; level of `debug_osd`, which is 1 by default. */
function logOf(
  config: CephConfig,
  { debug }: OsdFlags,
): { level: number; file?: string; isOnStderr: boolean } {
  const file = config.get('log_file');
  const level = Number(/^\d+/.exec(config.get('debug_osd') ?? '')?.[0] ?? 1);
  const hasFile = file !== undefined && file !== '' && file !== '/dev/null';
  return {
    level,
    ...(hasFile && { file }),
    isOnStderr: debug === true || !hasFile || config.get('log_to_stderr') === 'true',
  };
}
