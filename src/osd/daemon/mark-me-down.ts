/**
 * A goodbye: the OSD tells the monitor that it stops, and waits until the monitor has taken note, so that
 * nobody needs to find out (facts: OSDService::prepare_to_stop, got_stop_ack).
 */
import { Message } from '../../messenger/message.ts';
import type { Clock } from '../../transport/clock.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { MOSDMarkMeDown } from '../../wire/messages/m-osd-mark-me-down.ts';
import type { Uuid } from '../../wire/uuid.ts';

export interface GoodbyeInit {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly fsid: Uuid;
  readonly whoami: number;
  readonly addrs: EntityAddrVec;
  readonly epoch: number;
  send(message: Message): void;
}

export class Goodbye {
  #settle: ((isAcknowledged: boolean) => void) | undefined;

  /** Answers whether the monitor took note in time. */
  say({ addrs, clock, epoch, fsid, send, timeoutMs, whoami }: GoodbyeInit): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => this.#settle?.(false), timeoutMs);
      this.#settle = (isAcknowledged) => {
        this.#settle = undefined;
        clock.clearTimeout(timer);
        resolve(isAcknowledged);
      };
      send(
        Message.of(MOSDMarkMeDown, {
          paxosVersion: BigInt(epoch),
          fsid,
          targetOsd: whoami,
          targetAddrs: addrs,
          epoch,
          requestAck: true,
          downAndDead: true,
        }),
      );
    });
  }

  /** The monitor answered, or a map has this OSD down. */
  acknowledged(): void {
    this.#settle?.(true);
  }
}
