/** Why an edit of a CRUSH map is refused, with the error number that Ceph answers with. */
import { ErrorCode, MsgrError } from '../../errors.ts';

/** What Linux says of the numbers that an edit ends with. */
const texts = {
  1: 'Operation not permitted',
  2: 'No such file or directory',
  16: 'Device or resource busy',
  17: 'File exists',
  22: 'Invalid argument',
  34: 'Numerical result out of range',
  39: 'Directory not empty',
  40: 'Too many levels of symbolic links',
  75: 'Value too large for defined data type',
} as const;

export const CrushErrno = {
  notPermitted: 1,
  notFound: 2,
  busy: 16,
  exists: 17,
  invalid: 22,
  range: 34,
  notEmpty: 39,
  loop: 40,
  overflow: 75,
} as const satisfies Record<string, keyof typeof texts>;
type CrushErrno = (typeof CrushErrno)[keyof typeof CrushErrno];

/** Without words of its own it says what the error number means: `(22) Invalid argument`. */
export function crushRefusal(errno: CrushErrno, message = `(${errno}) ${texts[errno]}`): MsgrError {
  return new MsgrError(ErrorCode.InvalidArgument, message, { errno });
}
