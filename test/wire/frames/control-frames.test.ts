import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { controlFrames } from '../../../src/wire/frames/control-frames.ts';
import { Tag, tagName } from '../../../src/wire/frames/tag.ts';

test('every tag of Pacific but MESSAGE, and our own, has a codec under its own number', () => {
  const pacific = Object.values(Tag).filter((tag) => tag <= Tag.Ack && tag !== Tag.Message);
  assert.equal(
    [...controlFrames.keys()].sort((a, b) => a - b),
    [...pacific, Tag.SharedMemory],
  );
  for (const [tag, frame] of controlFrames) {
    assert.is(frame.tag, tag);
    assert.is(frame.name, tagName(tag));
  }
});

test('tags have the names that Ceph gives them', () => {
  assert.is(tagName(1), 'HELLO');
  assert.is(tagName(15), 'SESSION_RECONNECT_OK');
  assert.is(tagName(18), 'KEEPALIVE2');
  assert.is(tagName(19), 'KEEPALIVE2_ACK');
  assert.is(tagName(99), 'tag 99');
});

test.run();
