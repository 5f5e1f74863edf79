/** URL of the module `path` (relative, without extension) as seen from `from`: a source beside sources, else compiled. */
export function moduleBeside(path: string, from: string): URL {
  return new URL(`${path}.${from.endsWith('.ts') ? 'ts' : 'js'}`, from);
}
