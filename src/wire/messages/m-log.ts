/** MLog: entries for the cluster log, which the monitor keeps and acknowledges with MLogAck. */
import { decodeLogEntry, encodeLogEntry, type LogEntry, logEntryBytesMin } from '../log-entry.ts';
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MLog extends PaxosServiceMessage {
  readonly fsid: Uuid;
  readonly entries: readonly LogEntry[];
}

export const MLog = defineMessage<MLog>({
  type: 52,
  name: 'log',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodeUuid(encoder, body.fsid);
    encoder.list(body.entries, (entry) => encodeLogEntry(encoder, entry));
  },
  decode: (decoder) => ({
    ...decodePaxosPrefix(decoder),
    fsid: decodeUuid(decoder, 'fsid'),
    entries: decoder.list('entries', logEntryBytesMin, (index) => decodeLogEntry(decoder, String(index))),
  }),
});
