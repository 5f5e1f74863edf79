/** `$name` and `${name}` in the values of a ceph.conf. */

/** What a name stands for; undefined when it stands for nothing and is to be left as it is. */
export type Metavariables = (name: string) => string | undefined;

/**
 * Names are of small letters and underscores. Braces around anything else lose it, as in Ceph: `${ID}`
 * becomes `$ID}`, and an unclosed `${id` becomes `$`.
 */
export function expandMetavariables(text: string, meaning: Metavariables): string {
  return text.replaceAll(
    /\$(?:\{([a-z_]*)(\}?)|([a-z_]*))/g,
    (whole, braced?: string, close?: string, bare?: string) => {
      const name = braced === undefined ? bare! : close === '' ? '' : braced;
      if (name === '') return '$';
      return meaning(name) ?? whole;
    },
  );
}
