import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import {
  cephFsObjectName,
  checkFileLayout,
  defaultFileLayout,
  type FileLayout,
  fileExtents,
  fileToObject,
  objectBytes,
  objectCount,
  objectToFile,
  rbdObjectName,
} from '../../src/maps/striping.ts';
import { msgrError } from '../support/wire-checks.ts';

const layout = fc
  .record({
    stripeUnit: fc.integer({ min: 1, max: 9 }),
    unitsPerObject: fc.integer({ min: 1, max: 5 }),
    stripeCount: fc.integer({ min: 1, max: 6 }),
  })
  .map(({ stripeUnit, unitsPerObject, stripeCount }) => ({
    objectSize: stripeUnit * unitsPerObject,
    stripeUnit,
    stripeCount,
  }));

/** Every byte of a file put where it belongs, one by one, from the definition alone. */
function byHand({ objectSize, stripeUnit, stripeCount }: FileLayout, size: number): Map<number, number[]> {
  const objects = new Map<number, number[]>();
  let set = 0;
  for (let at = 0; at < size; ) {
    // A set of objects is filled row by row, a row unit by unit.
    for (let row = 0; row < objectSize / stripeUnit; row++) {
      for (let column = 0; column < stripeCount; column++) {
        const number = set * stripeCount + column;
        for (let byte = 0; byte < stripeUnit && at < size; byte++, at++) {
          objects.set(number, [...(objects.get(number) ?? []), at]);
        }
      }
    }
    set++;
  }
  return objects;
}

test('every byte lies where the picture puts it', () => {
  fc.assert(
    fc.property(layout, fc.integer({ min: 0, max: 400 }), (file, size) => {
      const objects = byHand(file, size);
      assert.is(objectCount(file, size), objects.size);
      for (const [objectNumber, bytes] of objects) {
        assert.is(objectBytes(file, size, objectNumber), bytes.length);
        for (const [offset, at] of bytes.entries()) {
          assert.equal(fileToObject(file, at), { objectNumber, offset });
          assert.is(objectToFile(file, objectNumber, offset), at);
        }
      }
      assert.is(objectBytes(file, size, objects.size + file.stripeCount), 0);
    }),
  );
});

test('extents cover a range once, in order, none longer than a stripe unit', () => {
  fc.assert(
    fc.property(layout, fc.nat(200), fc.nat(200), (file, offset, length) => {
      let at = offset;
      for (const extent of fileExtents(file, offset, length)) {
        assert.is(extent.fileOffset, at);
        assert.ok(extent.length > 0 && extent.length <= file.stripeUnit);
        assert.equal(fileToObject(file, at), { objectNumber: extent.objectNumber, offset: extent.offset });
        at += extent.length;
      }
      assert.is(at, offset + length);
    }),
  );
});

test('large offsets stay exact: the last bytes below 2^53', () => {
  const { objectNumber, offset } = fileToObject(defaultFileLayout, Number.MAX_SAFE_INTEGER);
  assert.is(objectNumber, 2 ** 31 - 1);
  assert.is(offset, 2 ** 22 - 1);
  assert.is(objectToFile(defaultFileLayout, objectNumber, offset), Number.MAX_SAFE_INTEGER);
});

test('layouts that cannot be are refused', () => {
  const refusal = (change: Partial<FileLayout>): string =>
    msgrError(() => checkFileLayout({ ...defaultFileLayout, ...change }), ErrorCode.InvalidArgument).message;
  assert.match(refusal({ stripeUnit: 3 }), /not a multiple/);
  assert.match(refusal({ stripeCount: 0 }), /stripeCount/);
  assert.match(refusal({ objectSize: 0.5 }), /objectSize/);
});

test('names of objects', () => {
  assert.is(cephFsObjectName(0x10000000000n, 0), '10000000000.00000000');
  assert.is(cephFsObjectName(1099511627776, 0x1f), '10000000000.0000001f');
  assert.is(rbdObjectName('1234', 1), 'rbd_data.1234.0000000000000001');
});

test.run();
