/**
 * A bench process: loads one kind of link and plays one part, as its parent (bench-child.ts) tells it.
 *
 *      argv: ROLE MODULE_URL OPTIONS_JSON
 *      in:   { id, call, args }       out: { id, value } | { id, error } | { progress }
 *
 * It ends when its parent closes the channel, or is gone.
 */
import type { ChildAnswer, ChildCall } from './bench-child.ts';
import { ClientRole } from './client-role.ts';
import type { LinkModule } from './link.ts';

import { ServerRole } from './server-role.ts';

const progressIntervalMs = 200;

const [role, moduleUrl, optionsJson] = process.argv.slice(2);
const linkModule = (await import(moduleUrl!)) as LinkModule;
const ends = linkModule.makeEnds(JSON.parse(optionsJson!));

/** The calls of both parts, by name. */
const calls: Record<string, (...args: never[]) => Promise<unknown>> =
  role === 'server' ? serverCalls() : clientCalls();

process.on('message', (call: ChildCall) => {
  calls[call.call]!(...(call.args as never[])).then(
    (value) => tell({ id: call.id, value }),
    (error: Error) => tell({ id: call.id, error: error.message }),
  );
});
process.once('disconnect', () => process.exit(0));
tell({ id: 0, value: 'ready' });

function serverCalls(): typeof calls {
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

function clientCalls(): typeof calls {
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
