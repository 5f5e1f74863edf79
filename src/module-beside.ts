/**
 * URL of the module `path` (relative to the caller's, without its extension): the compiled one where the caller,
 * which gives its `import.meta.url`, is compiled, else the TypeScript source.
 */
export function moduleBeside(path: string, callerUrl: string): URL {
  return new URL(`${path}.${callerUrl.endsWith('.ts') ? 'ts' : 'js'}`, callerUrl);
}
