/** What connectors say when the other side does not agree on method or mode. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { AuthBadMethod } from '../../wire/frames/auth-bad-method.ts';
import { AuthMethod, ConnectionMode } from '../auth.ts';
import { errnoText } from '../errno.ts';

function namesOf(numbers: readonly number[], known: Readonly<Record<string, number>>): string {
  const names = numbers.map(
    (number) =>
      Object.entries(known)
        .find(([, value]) => value === number)?.[0]
        .toLowerCase() ?? `${number}`,
  );
  return names.join(', ') || 'none at all';
}

export function modeNames(modes: readonly number[]): string {
  return namesOf(modes, ConnectionMode);
}

/** The error for AUTH_BAD_METHOD that is no matter of keys. */
export function refusedMethod(refusal: AuthBadMethod, modes: readonly number[]): MsgrError {
  const methods = namesOf(refusal.allowedMethods, AuthMethod);
  return new MsgrError(
    ErrorCode.Auth,
    `the peer refuses cephx in mode ${modeNames(modes)} with ${errnoText(refusal.result)}; ` +
      `it allows method ${methods} in mode ${modeNames(refusal.allowedModes)} ` +
      '(options auth_*_required and ms_*_mode of both sides)',
    { errno: Math.abs(refusal.result) },
  );
}

/** @throws MsgrError ERR_MSGR_AUTH when the acceptor chose a mode that was not offered. */
export function checkMode(mode: number, offered: readonly number[]): void {
  if (offered.includes(mode)) return;
  throw new MsgrError(
    ErrorCode.Auth,
    `the peer chose connection mode ${modeNames([mode])}, and ${modeNames(offered)} was offered`,
  );
}
