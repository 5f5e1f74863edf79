/** What every message of Ceph's must withstand, tried on the ones that real daemons sent. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cephMessages } from '../../../src/wire/messages/ceph-messages.ts';
import { fixtureMessages } from '../../support/captures.ts';
import { checkMutation, checkTruncation } from '../../support/wire-checks.ts';

/** Types that the recordings do not hold; the tests beside this one build them by hand. */
const notRecorded = new Set([2, 6, 13, 14, 16, 48, 49, 58, 59, 75, 76, 77, 78, 97, 98]);

/** Fields that old senders leave out at the end: the front is whole without these last bytes. */
const optionalTail = new Map([
  [17, 4],
  [53, 4],
]);

/** Mutating every byte of a long message says nothing new after this many. */
const mutatedBytesMax = 700;

for (const type of cephMessages) {
  if (notRecorded.has(type.type)) continue;
  test(`${type.name}: truncated and mutated at every byte`, () => {
    const messages = fixtureMessages(type.type);
    assert.ok(messages.length > 0, 'no recording holds one');
    // The shortest and the longest: an empty list and a full one.
    messages.sort((left, right) => left.front.byteLength - right.front.byteLength);
    for (const message of new Set([messages[0]!, messages.at(-1)!])) {
      const decode = (front: Uint8Array): unknown => type.decode({ ...message, front });
      const tail = optionalTail.get(type.type);
      const complete = tail === undefined ? [] : [message.front.byteLength - tail];
      checkTruncation(message.front, decode, complete);
      if (message.front.byteLength <= mutatedBytesMax) checkMutation(message.front, decode);
      assert.equal(type.encode(decode(message.front)).front, message.front);
    }
  });
}

test('the exceptions are still exceptions', () => {
  for (const type of notRecorded) assert.is(fixtureMessages(type).length, 0);
});

test.run();
