/**
 * The judge of the wire layer: what real daemons sent is read and written again, byte for byte. Runs over
 * the recordings in the repository, and over all recordings where they are at hand.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { controlFrames } from '../../src/wire/frames/control-frames.ts';
import { Tag, tagName } from '../../src/wire/frames/tag.ts';
import { messageHeaderFromBytes, messageHeaderToBytes } from '../../src/wire/message-header.ts';
import { cephMessages } from '../../src/wire/messages/ceph-messages.ts';
import { MessageRegistry } from '../../src/wire/messages/registry.ts';
import { allCaptures, captureFrames, captureStreams, fixtureCaptures } from '../support/captures.ts';

const registry = new MessageRegistry(cephMessages);

/** Types in the recordings that travel raw: RADOS operations and the peering of placement groups. */
const rawTypes = new Set([42, 43, 80, 83, 86, 105, 106, 107, 112, 113, 120, 130, 131, 132, 133, 134, 150]);

interface Counts {
  streams: number;
  control: Map<string, number>;
  typed: Map<string, number>;
  raw: Map<string, number>;
}

const add = (map: Map<string, number>, name: string): void => void map.set(name, (map.get(name) ?? 0) + 1);

function roundTrip(root: string, folder: string): Counts {
  const counts: Counts = { streams: 0, control: new Map(), typed: new Map(), raw: new Map() };
  for (const stream of captureStreams(root, folder)) {
    counts.streams++;
    for (const frame of captureFrames(stream)) {
      const where = `${folder}/${stream.name} at ${frame.offset}: ${tagName(frame.tag)}`;
      if (frame.tag !== Tag.Message) {
        const codec = controlFrames.get(frame.tag);
        if (codec === undefined) throw new Error(`${where}: no codec`);
        const payload = frame.segments[0]!;
        const value = codec.decode(payload);
        assert.is(codec.encode(value).toString('hex'), payload.toString('hex'), where);
        assert.is(codec.byteLength(value), payload.byteLength, `${where}: byteLength`);
        add(counts.control, codec.name);
        continue;
      }
      const [head, front, middle, data] = frame.segments;
      const header = messageHeaderFromBytes(head!);
      assert.is(messageHeaderToBytes(header).toString('hex'), head!.toString('hex'), `${where}: header`);
      const type = registry.get(header.type);
      if (type === undefined) {
        assert.ok(rawTypes.has(header.type), `${where}: nobody decodes message type ${header.type}`);
        add(counts.raw, String(header.type));
        continue;
      }
      const empty = Buffer.alloc(0);
      const body = type.decode({ ...header, front: front ?? empty, middle, data });
      const again = type.encode(body);
      const label = `${where}: ${type.name}`;
      assert.is(Buffer.from(again.front).toString('hex'), (front ?? empty).toString('hex'), `${label} front`);
      assert.is(Buffer.compare(again.middle, middle ?? empty), 0, `${label} middle`);
      assert.is(Buffer.compare(again.data, data ?? empty), 0, `${label} data`);
      assert.is(again.version, header.version, `${label} version`);
      assert.is(again.compatVersion, header.compatVersion, `${label} compatVersion`);
      add(counts.typed, type.name);
    }
  }
  return counts;
}

const sum = (map: Map<string, number>): number =>
  [...map.values()].reduce((total, count) => total + count, 0);
const list = (map: Map<string, number>): string =>
  [...map].map(([name, count]) => `${name} ${count}`).join(', ');

function print(title: string, counts: Counts): void {
  console.log(
    `\n  ${title}: ${counts.streams} streams, ${sum(counts.control)} control frames and ${sum(counts.typed)} messages ` +
      `byte for byte, ${sum(counts.raw)} messages raw\n    ${list(counts.control)}\n    ${list(counts.typed)}`,
  );
}

for (const folder of ['none', 'cephx-crc', 'faults']) {
  test(`the repository's recordings of ${folder} come out as they went in`, () => {
    const counts = roundTrip(fixtureCaptures, folder);
    print(`fixtures ${folder}`, counts);
    assert.ok(sum(counts.control) > 0);
    if (folder === 'none') assert.is(counts.typed.get('osd_ping'), 10);
  });
}

// Frames that the recordings are known to hold: a reader that skipped some would be found out.
const expected = {
  none: { control: 868, ping: 182, boot: 5 },
  'cephx-crc': { control: 1067, ping: 188, boot: 5 },
  faults: { control: 1577, ping: 171, boot: 6 },
};
for (const [folder, counted] of Object.entries(expected)) {
  if (allCaptures === undefined) continue;
  test(`all recordings of ${folder} come out as they went in`, () => {
    const counts = roundTrip(allCaptures!, folder);
    print(`all of ${folder}`, counts);
    assert.is(sum(counts.control), counted.control);
    assert.is(counts.typed.get('osd_ping'), counted.ping);
    assert.is(counts.typed.get('osd_boot'), counted.boot);
  });
}

test.run();
