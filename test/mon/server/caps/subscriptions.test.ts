/**
 * What one may subscribe to. CVE-2026-50152: whoever could read maps could have the monitor send him every
 * key that others keep with it, by subscribing to `kv:`.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MonCaps } from '../../../../src/mon/server/caps/mon-caps.ts';
import { ConfigService } from '../../../../src/mon/server/config/config-service.ts';
import { initialMonMap } from '../../../../src/mon/server/initial-maps.ts';
import { LogService } from '../../../../src/mon/server/log/log-service.ts';
import {
  configPublisher,
  logPublisher,
  mgrMapPublisher,
  monMapPublisher,
  osdMapPublisher,
  pgCreatesPublisher,
} from '../../../../src/mon/server/publishers.ts';
import { Subscriptions } from '../../../../src/mon/server/subscriptions.ts';
import { resolveOptions } from '../../../../src/options.ts';
import { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { EntityAuthName, EntityName } from '../../../../src/wire/entity-name.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';
import { ServiceBench } from '../support/service-bench.ts';

const bench = new ServiceBench();
const fsid = Uuid.parse('11111111-2222-3333-4444-555555555555');
const config = new ConfigService({ store: bench.store, proposer: bench });
const log = new LogService({
  store: bench.store,
  proposer: bench,
  options: resolveOptions({}),
  name: 'a',
  rank: 0,
  wallMs: () => 0,
});
const osd = { lastCommitted: 0, pgCreates: () => ({ message: undefined, next: 0 }) } as never;
const monMap = initialMonMap('a', EntityAddrVec.empty, { fsid, now: 0 });
const subscriptions = new Subscriptions([
  monMapPublisher(() => monMap),
  osdMapPublisher(osd, { send: () => {} } as never),
  pgCreatesPublisher(osd),
  mgrMapPublisher(),
  configPublisher(config),
  logPublisher(log, fsid),
]);

/** Whether the subscription is kept, and whether anything was sent for it. */
function subscribe(entity: string, caps: string, what: string): 'taken' | 'refused' {
  const sent: unknown[] = [];
  const kept = new Map();
  const session = {
    entity: EntityAuthName.parse(entity),
    caps: MonCaps.parseOrNone(caps),
    connection: {
      peerName: EntityName.client(1),
      remoteHost: '127.0.0.1',
      send: (message: unknown) => sent.push(message),
    },
    hostname: '',
    subscriptions: kept,
    config: undefined,
  };
  subscriptions.subscribe(session as never, what, { start: 0n, flags: 0 });
  if (!kept.has(what)) assert.is(sent.length, 0, `${what} was refused, and something sent all the same`);
  return kept.has(what) ? 'taken' : 'refused';
}

/** A client with none, r, rw, *; an OSD with its profile. */
const rows: readonly [what: string, expected: string][] = [
  ['monmap', 'refused taken taken taken taken'],
  ['osdmap', 'refused taken taken taken taken'],
  ['osd_pg_creates', 'refused refused taken taken taken'],
  ['log-info', 'refused taken taken taken refused'],
  ['config', 'refused taken taken taken taken'],
  ['mgrmap', 'refused taken taken taken taken'],
  ['kv:', 'refused refused refused refused refused'],
  ['kv:dm-crypt/', 'refused refused refused refused refused'],
  ['kv:daemon-private/osd.0/', 'refused refused refused refused refused'],
  ['constructor', 'refused refused refused refused refused'],
  ['log-everything', 'refused refused refused refused refused'],
];

for (const [what, expected] of rows) {
  test(`${what}: ${expected}`, () => {
    const clients = ['', 'allow r', 'allow rw', 'allow *'].map((caps) => subscribe('client.x', caps, what));
    assert.is([...clients, subscribe('osd.0', 'allow profile osd', what)].join(' '), expected);
  });
}

test.run();
