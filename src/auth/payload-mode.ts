/** First byte of an auth payload: who is asked, and hence what follows. Ranges are Ceph's `AUTH_MODE_*`. */
export const PayloadMode = { authorizerMin: 1, authorizerMax: 9, mon: 10, monMax: 19 } as const;

export function isAuthorizerMode(mode: number): boolean {
  return mode >= PayloadMode.authorizerMin && mode <= PayloadMode.authorizerMax;
}

export function isMonMode(mode: number): boolean {
  return mode >= PayloadMode.mon && mode <= PayloadMode.monMax;
}
