/**
 * The sign of life that an OSD gives the monitors every `osd_beacon_report_interval`, whether or not anybody
 * watches it. It also says how far this OSD is with the maps, which holds back the trimming of older ones.
 */
import { Message } from '../../messenger/message.ts';
import { MOSDBeacon } from '../../wire/messages/m-osd-beacon.ts';
import { utimeZero } from '../../wire/utime.ts';

export interface BeaconPorts {
  nowMs(): number;
  intervalSeconds(): number;
  epoch(): number;
  send(message: Message): void;
}

export class Beacon {
  readonly #ports: BeaconPorts;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(ports: BeaconPorts) {
    this.#ports = ports;
  }

  /** If one is due. */
  maybeSend(): void {
    if (this.#ports.nowMs() - this.#lastMs >= this.#ports.intervalSeconds() * 1000) this.send();
  }

  send(): void {
    const epoch = this.#ports.epoch();
    this.#lastMs = this.#ports.nowMs();
    this.#ports.send(
      Message.of(MOSDBeacon, {
        paxosVersion: BigInt(epoch),
        pgs: [],
        // Without placement groups nothing older than the present map is needed here.
        minLastEpochClean: epoch,
        lastPurgedSnapsScrub: utimeZero,
        reportIntervalSeconds: Math.round(this.#ports.intervalSeconds()),
      }),
    );
  }
}
