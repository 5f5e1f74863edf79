/**
 * Where the module of a worker thread is, and the Node options that let the thread load it: the same call
 * from the built package and from its TypeScript source.
 */

import { moduleBeside } from './module-beside.ts';

export interface ThreadModule {
  /** URL, for piscina's `filename`. */
  readonly filename: string;
  /** Absent: the thread inherits the process's. */
  readonly execArgv?: string[];
}

/**
 * The module `name` (without its extension) beside the caller's, which gives its `import.meta.url`. As
 * source it is loaded by tsx, which Node 20 does not hand on to threads: the thread registers it again.
 */
export function threadModule(name: string, callerUrl: string): ThreadModule {
  const filename = moduleBeside(`./${name}`, callerUrl).href;
  if (!callerUrl.endsWith('.ts')) return { filename };
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const preload = `data:text/javascript,import{register}from${tsx};register()`;
  return {
    filename,
    execArgv: [...process.execArgv, '--import', preload],
  };
}
