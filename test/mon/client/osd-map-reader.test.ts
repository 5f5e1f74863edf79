/** Every epoch once and in order, whatever a monitor sends in whatever order. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, type MsgrError } from '../../../src/errors.ts';
import { osdMapBufferBytesMax } from '../../../src/limits.ts';
import { encodeOsdMap } from '../../../src/maps/osdmap-codec.ts';
import { OsdMapReader } from '../../../src/mon/client/osd-map-reader.ts';
import type { MOSDMap } from '../../../src/wire/messages/m-osd-map.ts';
import { Uuid } from '../../../src/wire/uuid.ts';
import { SeededRandom } from '../../maps/support/random.ts';
import { OsdMapHistory } from '../support/osd-map-history.ts';

const fsid = Uuid.parse('c38a29e7-3411-4fa3-9d39-eca1f40257d3');

/** A history of some epochs after 10, a reader of it, and what the reader asks. */
function reading(epochs: number, first: number) {
  const history = new OsdMapHistory(fsid);
  for (let epoch = 0; epoch < epochs; epoch++) history.commit({ newFlags: epoch });
  const asked: string[] = [];
  const blamed: MsgrError[] = [];
  const reader = new OsdMapReader(
    {
      fsid,
      askFull: (epoch) => asked.push(`full ${epoch}`),
      askFrom: (epoch) => asked.push(`from ${epoch}`),
      blame: (error) => blamed.push(error),
    },
    first,
  );
  /** All that the reader has; each map is checked against the history. */
  const take = (): string => {
    const epochs: string[] = [];
    for (let update = reader.take(); update !== undefined; update = reader.take()) {
      assert.is(update.map.epoch, update.epoch);
      assert.is(Buffer.compare(encodeOsdMap(update.map), history.full(update.epoch)), 0);
      epochs.push(`${update.epoch}${update.incremental === undefined ? 'f' : 'i'}`);
    }
    return epochs.join(' ');
  };
  return { asked, blamed, history, reader, take };
}

test('a base is asked for at once, then increments follow', () => {
  const { asked, history, reader, take } = reading(5, 12);
  assert.is(take(), '');
  assert.equal(asked, ['full 12']);
  reader.add(history.message([12], []));
  for (const message of history.from(13)) reader.add(message);
  assert.is(take(), '12f 13i 14i 15i');
  assert.is(reader.wantedFrom, 16);
  assert.equal(asked, ['full 12'], 'the monitor has nothing more, so nothing is missed');
  assert.is(reader.bufferedBytes, 0);
});

test('doubled, late and disordered messages: each epoch once', () => {
  const { history, reader, take } = reading(5, 10);
  reader.add(history.message([], [13, 14]));
  reader.add(history.message([10], [11]));
  assert.is(take(), '10f 11i');
  reader.add(history.message([10, 12], [11, 12]));
  reader.add(history.message([], [13, 14, 15]));
  assert.is(take(), '12i 13i 14i 15i');
  for (const message of history.from(0)) reader.add(message);
  for (const message of history.from(10)) reader.add(message);
  assert.is(take(), '');
});

test('a gap: the increments are asked for again, then the full map, then the monitor is given up', () => {
  const { asked, blamed, history, reader, take } = reading(5, 10);
  reader.add(history.message([10], [11, 13, 14]));
  assert.is(take(), '10f 11i');
  assert.ok(reader.isMissing);
  assert.equal(asked, [], 'it may be on its way');
  for (const expected of ['from 12', 'full 12', 'full 12', 'full 12']) {
    assert.is(take(), '');
    assert.is(asked.at(-1), expected);
  }
  assert.equal(blamed, []);
  assert.is(take(), '');
  assert.is(blamed.length, 1);
  assert.match(blamed[0]!.message, /does not send osdmap 12, and says that it has 10 to 15/);
  // The next monitor does better.
  reader.sessionChanged();
  assert.is(reader.wantedFrom, 12);
  reader.add(history.message([12], []));
  assert.is(take(), '12f 13i 14i');
});

test('an increment whose CRC or content is wrong: the full map is asked for, and its successor fits', () => {
  for (const spoil of ['crc', 'epoch', 'bytes'] as const) {
    const { asked, blamed, history, reader, take } = reading(3, 10);
    const message = history.message([10], [11, 12, 13]);
    const bytes = Buffer.from(history.incremental(11));
    if (spoil === 'crc') bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
    const wrong =
      spoil === 'epoch' ? history.incremental(12) : spoil === 'crc' ? bytes : Buffer.alloc(50, 0xff);
    (message.incrementalMaps as Map<number, Uint8Array>).set(11, wrong);
    reader.add(message);
    assert.is(take(), '10f');
    assert.equal(asked, ['full 11'], spoil);
    assert.equal(blamed, []);
    reader.add(history.message([11], []));
    assert.is(take(), '11f 12i 13i');
  }
});

test('a full map that is none, of another epoch or of another cluster ends the session', () => {
  const other = new OsdMapHistory(Uuid.random());
  other.commit();
  for (const wrong of [Buffer.alloc(80, 0xff), Buffer.alloc(0), other.full(11)]) {
    const { blamed, history, reader, take } = reading(3, 11);
    reader.add({ ...history.message([], [12]), maps: new Map([[11, wrong]]) });
    assert.is(take(), '');
    assert.is(blamed.length, 1);
    assert.is(blamed[0]!.code, ErrorCode.Malformed);
    assert.is(reader.wantedFrom, 11);
    reader.sessionChanged();
    reader.add(history.message([11], [12, 13]));
    assert.is(take(), '11f 12i 13i');
  }
  const { blamed, history, reader, take } = reading(3, 11);
  reader.add({ ...history.message([], []), maps: new Map([[11, history.full(12)]]) });
  assert.is(take(), '');
  assert.match(blamed[0]!.message, /osdmap 12 .* was sent as 11/);
});

test('epochs that are trimmed are passed over, once the oldest one is there', () => {
  const { asked, history, reader, take } = reading(9, 10);
  reader.add(history.message([10], []));
  assert.is(take(), '10f');
  history.oldest = 15;
  // What a monitor sends to whom wants 11 when it begins at 15.
  for (const message of history.from(11)) reader.add(message);
  assert.is(take(), '15f 16i 17i 18i 19i');
  assert.equal(asked, []);

  const late = reading(9, 10);
  late.history.oldest = 15;
  late.reader.add(late.history.message([], [19]));
  assert.is(late.take(), '');
  assert.equal(late.asked, ['full 15']);
  late.reader.add(late.history.message([15], []));
  assert.is(late.take(), '15f');
  for (const message of late.history.from(late.reader.wantedFrom)) late.reader.add(message);
  assert.is(late.take(), '16i 17i 18i 19i');
});

test('a first epoch in the future is waited for', () => {
  const { asked, history, reader, take } = reading(1, 13);
  assert.is(take(), '');
  assert.equal(asked, ['full 13']);
  // The answer is empty: the monitor's newest is 11.
  reader.add(history.message([], []));
  assert.is(take(), '');
  assert.equal(asked, ['full 13']);
  history.commit();
  history.commit();
  reader.add(history.message([], [13]));
  assert.is(take(), '');
  assert.equal(asked, ['full 13', 'full 13']);
  reader.add(history.message([13], []));
  assert.is(take(), '13f');
});

test('a reader that does not read keeps a bounded buffer, and is not run over', () => {
  const { asked, history, reader, take } = reading(30, 10);
  const padding = new Uint8Array(osdMapBufferBytesMax / 4);
  reader.add(history.message([10], [11]));
  // Not maps at all; it is their size that counts, and they are never looked at.
  const huge = (epoch: number): MOSDMap => ({
    ...history.message([], []),
    maps: new Map([[epoch, padding]]),
  });
  for (let epoch = 20; epoch < 30; epoch++) reader.add(huge(epoch));
  assert.ok(reader.bufferedBytes <= osdMapBufferBytesMax, `${reader.bufferedBytes}`);
  reader.add(history.message([], [12, 13, 14]));
  assert.is(reader.wantedFrom, 15);
  assert.is(take(), '10f 11i 12i 13i 14i');
  assert.equal(asked, ['from 15'], 'what was let go is asked for at once');
});

test('random loss, doubling and disorder: all epochs, each once, in order', () => {
  const random = new SeededRandom(Number(process.env.MSGR2_SEED ?? 7));
  for (let round = 0; round < 30; round++) {
    const { asked, blamed, history, reader, take } = reading(60, 10);
    let epochs = '';
    for (let step = 0; step < 2000 && !epochs.includes('70'); step++) {
      const message = history.from(random.between(0, 1) === 0 ? random.between(10, 70) : reader.wantedFrom);
      for (const part of message) {
        const lost = [...part.incrementalMaps.keys()].filter(() => random.between(0, 3) === 0);
        for (const epoch of lost) (part.incrementalMaps as Map<number, Uint8Array>).delete(epoch);
        reader.add(part);
      }
      epochs += ` ${take()}`;
      for (const question of asked.splice(0)) {
        const [what, epoch] = question.split(' ');
        if (what === 'full') reader.add(history.message([Number(epoch)], []));
      }
      epochs += ` ${take()}`;
      if (blamed.splice(0).length > 0) reader.sessionChanged();
    }
    const numbers = epochs
      .split(' ')
      .filter((text) => text !== '')
      .map((text) => Number.parseInt(text, 10));
    assert.equal(
      numbers,
      Array.from({ length: 61 }, (_, index) => 10 + index),
    );
  }
});

test.run();
