/**
 * A bench process: loads one kind of link and plays one part, as its parent (bench-child.ts) tells it.
 *
 *      argv: ROLE MODULE_URL OPTIONS_JSON
 *      in:   { id, call, args }       out: { id, value } | { id, error } | { progress }
 *
 * It ends when its parent closes the channel, or is gone.
 */
import { type ChildAnswer, type ChildCall, readyId } from './bench-child.ts';
import { ClientRole } from './client-role.ts';
import type { LinkEnds, LinkModule } from './link.ts';

import { ServerRole } from './server-role.ts';

const progressIntervalMs = 200;

/** The calls of one part, by name. */
type Calls = Record<string, (...args: never[]) => Promise<unknown>>;

const [role, moduleUrl, optionsJson] = process.argv.slice(2);
process.once('disconnect', () => process.exit(0));

let ends: LinkEnds<unknown>;
try {
  const linkModule = (await import(moduleUrl!)) as LinkModule;
  ends = linkModule.makeEnds(JSON.parse(optionsJson!));
  const calls = role === 'server' ? serverCalls() : clientCalls();
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

function serverCalls(): Calls {
  const server = new ServerRole(ends);
  setInterval(() => {
    const progress = server.progress();
    if (progress > 0) tell({ progress });
  }, progressIntervalMs);
  return {
    listen: () => server.listen(),
    count: () => server.count(),
    close: () => ends.close(),
  };
}

function clientCalls(): Calls {
  const client = new ClientRole(ends);
  return {
    connect: (address: string) => client.connect(address),
    throughput: (sizeBytes: number, seconds: number) => client.throughput(sizeBytes, seconds),
    roundTrips: (sizeBytes: number, seconds: number) => client.roundTrips(sizeBytes, seconds),
    close: () => ends.close(),
  };
}

function tell(answer: ChildAnswer): void {
  if (process.connected) process.send!(answer);
}
