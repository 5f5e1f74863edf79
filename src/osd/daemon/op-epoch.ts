/**
 * MOSDOp, of which an OSD without placement groups reads one field: the epoch of the client's map.
 *
 *      v8   spg_t 24 | u32 hash | u32 epoch | …
 */
import type { ReceivedMessage } from '../../messenger/message.ts';
import { Decoder } from '../../wire/decoder.ts';

export const osdOpType = 42;

/** Clients have written version 8 since Luminous. */
const versionWithSpg = 8;

/** Undefined when the operation is older, or cut off. */
export function opMapEpoch(message: Pick<ReceivedMessage, 'front' | 'version'>): number | undefined {
  if (message.version < versionWithSpg || message.front.byteLength < 32) return undefined;
  const decoder = new Decoder(message.front, 'osd_op');
  decoder.skip(28, 'pgid');
  return decoder.u32('epoch');
}
