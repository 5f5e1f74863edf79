/** Binding a messenger's address: a given port, or the first free one of the range, with Ceph's retries. */
import { ErrorCode, MsgrError } from '../errors.ts';
import type { Channel, Listener } from '../transport/channel.ts';
import type { SocketOptions } from '../transport/socket.ts';
import type { EntityAddr } from '../wire/entity-addr.ts';
import type { Messenger } from './messenger.ts';

export async function bindAddress(
  messenger: Messenger,
  addr: EntityAddr,
  socketOptions: SocketOptions,
  avoidPorts: ReadonlySet<number>,
  onAccept: (channel: Channel) => void,
): Promise<Listener> {
  const { clock, options, transport } = messenger;
  const ports =
    addr.port !== 0 ? [addr.port] : portRange(options.ms_bind_port_min, options.ms_bind_port_max, avoidPorts);
  const listenOptions: SocketOptions = { backlog: options.ms_tcp_listen_backlog, ...socketOptions };
  let lastError: unknown;
  for (let attempt = 0; attempt <= options.ms_bind_retry_count; attempt++) {
    if (attempt > 0)
      await new Promise<void>(
        (resolve) => void clock.setTimeout(resolve, options.ms_bind_retry_delay * 1000),
      );
    for (const port of ports) {
      try {
        const family = addr.host.includes(':') ? 6 : 4;
        return await transport.listen({ family, host: addr.host, port }, listenOptions, onAccept);
      } catch (error) {
        lastError = error;
        if (!isPortTaken(error)) throw error;
      }
    }
  }
  const tried = ports.length === 1 ? `port ${ports[0]}` : `${ports.length} ports from ${ports[0]}`;
  throw new MsgrError(ErrorCode.Bind, `cannot bind ${addr}: ${tried} in use`, { cause: lastError });
}

function portRange(min: number, max: number, avoid: ReadonlySet<number>): number[] {
  if (min > max) {
    throw new MsgrError(
      ErrorCode.InvalidArgument,
      `ms_bind_port_min ${min} is above ms_bind_port_max ${max}`,
    );
  }
  const ports = [];
  for (let port = min; port <= max; port++) if (!avoid.has(port)) ports.push(port);
  return ports;
}

/** Another port may be free; any other failure is the same at every port. */
function isPortTaken(error: unknown): boolean {
  const cause = error instanceof MsgrError ? error.cause : error;
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';
}
