/** MMonGetVersion: which version of a map the monitors have, without the map. */
import { Message } from '../../messenger/message.ts';
import { MMonGetVersion } from '../../wire/messages/m-mon-get-version.ts';
import { MMonGetVersionReply } from '../../wire/messages/m-mon-get-version-reply.ts';
import type { MonRequestInit } from './requests.ts';

export interface MapVersions {
  readonly newest: bigint;
  /** The oldest that is still kept. */
  readonly oldest: bigint;
}

/** The request's id travels as the handle, which the reply repeats. */
export function versionRequest(
  what: string,
): MonRequestInit<MMonGetVersionReply> & { read: (reply: MMonGetVersionReply) => MapVersions } {
  return {
    what: `version of ${what}`,
    bytes: what.length,
    replyType: MMonGetVersionReply.type,
    message: (handle) => Message.of(MMonGetVersion, { handle, what }),
    read: ({ oldestVersion, version }) => ({ newest: version, oldest: oldestVersion }),
  };
}
