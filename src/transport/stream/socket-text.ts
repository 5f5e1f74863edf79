/** Socket addresses as people read them, and the options that a transport without the native core can set. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { SocketAddress, SocketOptions } from '../socket.ts';

/** What node:net offers for a connecting socket and for a listener. */
const offeredOptions: readonly (keyof SocketOptions)[] = ['localAddress', 'noDelay', 'backlog'];

/** The error for the first option that node:net has no way to set; undefined when there is none. */
export function unsupportedOption(options: SocketOptions): MsgrError | undefined {
  for (const [name, value] of Object.entries(options)) {
    // Switched off, or left to the system: that is what node:net does anyway.
    if (value === undefined || value === false || value === 0) continue;
    if ((offeredOptions as readonly string[]).includes(name)) continue;
    return new MsgrError(
      ErrorCode.Unsupported,
      `socket option ${name} needs the native core; the simple transport cannot set it`,
    );
  }
  return undefined;
}

/** `127.0.0.1:6800`, `[::1]:6800`. */
export function socketAddressText({ family, host, port }: SocketAddress): string {
  return family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

export function addressOf(host: string | undefined, port: number | undefined): SocketAddress | undefined {
  if (host === undefined || port === undefined) return undefined;
  return { family: host.includes(':') ? 6 : 4, host, port };
}
