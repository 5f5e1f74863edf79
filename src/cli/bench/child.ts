/**
 * A bench process: loads one kind of link and plays one part, as its parent (bench-child.ts) tells it.
 *
 *      argv: ROLE MODULE_URL OPTIONS_JSON           ROLE: server, client, or both in one process
 *      in:   { id, call, args }       out: { id, value } | { id, error } | { progress }
 *
 * It ends when its parent closes the channel, or is gone.
 */
import { type ChildAnswer, type ChildCall, readyId } from './bench-child.ts';
import { ClientRole } from './client-role.ts';
import { GcProfile } from './gc-profile.ts';
import type { LinkEnds, LinkModule } from './link.ts';
import { memoryHeld, memoryUse } from './memory.ts';
import type { RequestTask, StreamTask } from './samples.ts';
import { ServerRole } from './server-role.ts';

const progressIntervalMs = 200;

/** The calls of one part, by name. */
type Calls = Record<string, (...args: never[]) => Promise<unknown>>;

const [role, moduleUrl, optionsJson] = process.argv.slice(2);
process.once('disconnect', () => process.exit(0));

let ends: LinkEnds<unknown>;
try {
  const linkModule = (await import(moduleUrl!)) as LinkModule;
  ends = await linkModule.makeEnds(JSON.parse(optionsJson!));
  const calls: Calls = {
    ...processCalls(),
    ...(role === 'client' ? {} : serverCalls()),
    ...(role === 'server' ? {} : clientCalls()),
  };
  process.on('message', ({ id, call, args }: ChildCall) => {
    calls[call]!(...(args as never[])).then(
      (value) => tell({ id, value }),
      (error: Error) => tell({ id, error: error.message }),
    );
  });
  tell({ id: readyId, value: true });
} catch (error) {
  tell({ id: readyId, error: (error as Error).message });
}

function processCalls(): Calls {
  let profile: GcProfile | undefined;
  return {
    memoryUse: async () => memoryUse(),
    memoryHeld: async () => memoryHeld(),
    profileGc: async () => {
      profile = new GcProfile();
    },
    gcCount: async () => profile!.end(),
  };
}

function serverCalls(): Calls {
  const server = new ServerRole(ends);
  setInterval(() => {
    const progress = server.progress();
    if (progress > 0) tell({ progress });
  }, progressIntervalMs);
  return {
    listen: () => server.listen(),
    count: () => server.count(),
  };
}

function clientCalls(): Calls {
  const client = new ClientRole(ends);
  return {
    connect: (address: string, count: number) => client.connect(address, count),
    throughput: (task: StreamTask) => client.throughput(task),
    roundTrips: (task: RequestTask) => client.roundTrips(task),
    soak: (task: StreamTask) => client.soak(task),
  };
}

function tell(answer: ChildAnswer): void {
  // A parent that is gone needs no answer; `disconnect` ends this process.
  if (process.connected) process.send!(answer, undefined, undefined, () => {});
}
