/** What getsockopt says of the socket of a channel. */
import * as assert from 'uvu/assert';
import { loadNative } from '../../../../src/native.ts';
import type { Channel, Transport } from '../../../../src/transport/channel.ts';

interface Inside {
  readonly id: number;
}

/** `option` is a level and a name, with Linux's numbers. */
export function readOption(
  transport: Transport,
  channel: Channel,
  option: readonly [number, number],
): Buffer {
  const { native } = transport as unknown as { native: { descriptor(id: number): number } };
  const descriptor = native.descriptor((channel as unknown as Inside).id);
  assert.ok(descriptor >= 0, 'the channel has a socket');
  const value = loadNative().socketOption(descriptor, ...option);
  assert.ok(value !== undefined, 'getsockopt answers');
  return value!;
}

export const readNumber = (...what: Parameters<typeof readOption>) => readOption(...what).readInt32LE(0);
