/**
 * How a file or an image is cut into objects, and what the objects are called.
 *
 * The stripe unit goes round over `stripeCount` objects; when each of them is full, the next set of as
 * many objects begins:
 * ```
 * object   0    1    2  |  3    4    5        stripeCount 3, objectSize = 2 units
 *          u0   u1   u2 |  u6   u7   u8
 *          u3   u4   u5 |  u9   u10  u11
 * ```
 * Offsets and lengths are bytes; all numbers are safe integers (8 PiB).
 */
import { ErrorCode, MsgrError } from '../errors.ts';

export interface FileLayout {
  /** A multiple of the stripe unit. */
  readonly objectSize: number;
  readonly stripeUnit: number;
  readonly stripeCount: number;
}

/** What CephFS and RBD use unless told otherwise: 4 MiB objects, not striped. */
export const defaultFileLayout: FileLayout = {
  objectSize: 4 << 20,
  stripeUnit: 4 << 20,
  stripeCount: 1,
};

/** A run of bytes in one object. */
export interface ObjectExtent {
  readonly objectNumber: number;
  readonly offset: number;
  readonly length: number;
  /** Where the run lies in the file: one part per stripe unit it is made of. */
  readonly fileOffset: number;
}

/** @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` that names the number that cannot be. */
export function checkFileLayout(layout: FileLayout): void {
  for (const [name, value] of Object.entries(layout)) {
    if (!Number.isSafeInteger(value) || value <= 0) {
      throw new MsgrError(ErrorCode.InvalidArgument, `${name} must be a whole number above 0, not ${value}`);
    }
  }
  if (layout.objectSize % layout.stripeUnit !== 0) {
    throw new MsgrError(
      ErrorCode.InvalidArgument,
      `objectSize ${layout.objectSize} is not a multiple of stripeUnit ${layout.stripeUnit}`,
    );
  }
}

/** The object that holds byte `offset` of the file, and where in it. */
export function fileToObject(layout: FileLayout, offset: number): { objectNumber: number; offset: number } {
  const { objectSize, stripeUnit, stripeCount } = layout;
  const unit = Math.floor(offset / stripeUnit);
  const stripe = Math.floor(unit / stripeCount);
  const unitsPerObject = objectSize / stripeUnit;
  const set = Math.floor(stripe / unitsPerObject);
  return {
    objectNumber: set * stripeCount + (unit % stripeCount),
    offset: (stripe % unitsPerObject) * stripeUnit + (offset % stripeUnit),
  };
}

/** The byte of the file that lies at `offset` of an object: {@link fileToObject} backwards. */
export function objectToFile(layout: FileLayout, objectNumber: number, offset: number): number {
  const { objectSize, stripeUnit, stripeCount } = layout;
  const set = Math.floor(objectNumber / stripeCount);
  const stripe = set * (objectSize / stripeUnit) + Math.floor(offset / stripeUnit);
  return (stripe * stripeCount + (objectNumber % stripeCount)) * stripeUnit + (offset % stripeUnit);
}

/** `length` bytes from `offset`, in the order of the file, one extent per stripe unit or part of one. */
export function* fileExtents(layout: FileLayout, offset: number, length: number): Generator<ObjectExtent> {
  checkFileLayout(layout);
  const end = offset + length;
  for (let at = offset; at < end; ) {
    const target = fileToObject(layout, at);
    const inUnit = layout.stripeUnit - (at % layout.stripeUnit);
    const extentLength = Math.min(inUnit, end - at);
    yield { ...target, length: extentLength, fileOffset: at };
    at += extentLength;
  }
}

/** How many objects a file of `size` bytes has; the last set may be filled in part. */
export function objectCount(layout: FileLayout, size: number): number {
  const { objectSize, stripeUnit, stripeCount } = layout;
  const setBytes = objectSize * stripeCount;
  const fullSets = Math.floor(size / setBytes);
  const units = Math.ceil((size % setBytes) / stripeUnit);
  return fullSets * stripeCount + Math.min(units, stripeCount);
}

/** How many bytes of a file of `size` bytes lie in an object. */
export function objectBytes(layout: FileLayout, size: number, objectNumber: number): number {
  const { objectSize, stripeUnit, stripeCount } = layout;
  const setBytes = objectSize * stripeCount;
  const set = Math.floor(objectNumber / stripeCount);
  const inSet = Math.min(Math.max(size - set * setBytes, 0), setBytes);
  const rowBytes = stripeUnit * stripeCount;
  const inRow = (inSet % rowBytes) - (objectNumber % stripeCount) * stripeUnit;
  return Math.floor(inSet / rowBytes) * stripeUnit + Math.min(Math.max(inRow, 0), stripeUnit);
}

/** `10000000000.00000002`: inode in hexadecimal, object number in eight digits of it. */
export function cephFsObjectName(inode: bigint | number, objectNumber: number): string {
  return `${inode.toString(16)}.${objectNumber.toString(16).padStart(8, '0')}`;
}

/** `rbd_data.<image id>.0000000000000002`: sixteen digits. */
export function rbdObjectName(imageId: string, objectNumber: number): string {
  return `rbd_data.${imageId}.${objectNumber.toString(16).padStart(16, '0')}`;
}
