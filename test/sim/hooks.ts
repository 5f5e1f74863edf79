/**
 * Between a messenger and its transport: counts the session frames that are sent, so that a run can tell
 * which ways it went, and lets a canary (canaries.ts) break what a channel does.
 */
import type { StreamSecrets } from '../../src/protocol/stream-secrets.ts';
import type { Channel, Transport } from '../../src/transport/channel.ts';
import { tagName } from '../../src/wire/frames/tag.ts';

export interface Hooks {
  /** Frames sent in handshakes, by tag. */
  readonly frameCounts: Map<number, number>;
  /** Tells of every frame, when somebody reads it. */
  readonly say: ((line: string) => void) | undefined;
  /** Told of the secrets that a channel is given. */
  readonly onSecure: (secrets: StreamSecrets) => void;
  /** Sees every channel before its owner does. */
  readonly sabotage: ((channel: Channel) => void) | undefined;
}

/** Called with the tag and the host of whom it is sent to. */
type OnFrame = (tag: number, host: string) => void;

export function hookTransport(
  transport: Transport,
  hooks: Hooks,
  owner: string,
  onFrame: OnFrame,
): Transport {
  const hooked = <C extends Channel>(channel: C): C => {
    hookChannel(channel, hooks, owner, onFrame);
    return channel;
  };
  return {
    name: transport.name,
    createChannel: (handler) => hooked(transport.createChannel(handler)),
    listen: (address, options, onAccept) =>
      transport.listen(address, options, (channel) => onAccept(hooked(channel))),
    flush: () => transport.flush(),
    ref: () => transport.ref(),
    unref: () => transport.unref(),
    close: () => transport.close(),
  };
}

/** Methods are replaced on the object itself, as a channel takes over only those of its own class. */
function hookChannel(
  channel: Channel,
  { frameCounts, sabotage, say, onSecure }: Hooks,
  owner: string,
  onFrame: OnFrame,
): void {
  const sendControl = channel.sendControl.bind(channel);
  channel.sendControl = (tag, payload) => {
    frameCounts.set(tag, (frameCounts.get(tag) ?? 0) + 1);
    if (channel.remoteAddress !== undefined) onFrame(tag, channel.remoteAddress.host);
    say?.(`${owner} sends ${tagName(tag)} to ${channel.remoteAddress?.host}`);
    sendControl(tag, payload);
  };
  const secure = channel.secure.bind(channel);
  channel.secure = (secrets) => {
    onSecure(secrets);
    secure(secrets);
  };
  sabotage?.(channel);
}
