/** Another revision's messengers as a link: nothing is taken from it but its public exports. */
import { pathToFileURL } from 'node:url';
import type { LinkEnds } from '../src/cli/bench/link.ts';
import { endsOf, type Msgr2Api, type Msgr2EndsOptions } from '../src/cli/bench/msgr2-ends.ts';

export interface AgainstEndsOptions extends Msgr2EndsOptions {
  /** Folder of the other checkout. */
  readonly root: string;
}

export async function makeEnds({ root, ...options }: AgainstEndsOptions): Promise<LinkEnds<unknown>> {
  const api = (await import(pathToFileURL(`${root}/dist/index.js`).href)) as Msgr2Api;
  return endsOf(api, options) as LinkEnds<unknown>;
}
