/** A real Ceph client as the connector: our messenger plays the monitor as far as a messenger goes. */
import { spawn } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Policy } from '../../src/index.ts';
import { EntityType } from '../../src/wire/entity-name.ts';
import { cephMessages } from '../../src/wire/messages/ceph-messages.ts';
import { MMonSubscribe } from '../../src/wire/messages/m-mon-subscribe.ts';
import { MessageRegistry } from '../../src/wire/messages/registry.ts';
import { requireCeph } from '../support/ceph-cluster.ts';
import { Messengers, testTransports } from '../support/messengers.ts';
import { limited } from '../support/timeout.ts';

if (requireCeph('a real ceph client against our listener')) {
  for (const transport of testTransports()) {
    test(
      `${transport}: the ceph tool authenticates, identifies itself and asks for its maps`,
      limited(30_000, async () => {
        await using all = new Messengers(transport);
        const { messenger, recorder } = await all.server({
          name: 'mon.0',
          nonce: 0,
          messageTypes: new MessageRegistry(cephMessages),
        });
        messenger.setDefaultPolicy(Policy.statelessServer());
        const { port } = messenger.myAddrs.front!;
        const args = ['--conf', '/dev/null', '-m', `v2:127.0.0.1:${port}`, '--connect-timeout', '5'];
        for (const kind of ['client', 'service', 'cluster']) args.push(`--auth_${kind}_required=none`);
        const ceph = spawn('ceph', [...args, 'status'], { stdio: 'ignore' });
        try {
          // The accept event follows AUTH_DONE, both signatures and CLIENT_IDENT.
          await recorder.untilEvent('accept');
          await recorder.until(
            () => recorder.messages.some((message) => message.as(MMonSubscribe)?.what.has('monmap')),
            'a subscription to the monmap',
          );
          const { peerName, features } = recorder.lastConnection!;
          assert.is(peerName.type, EntityType.Client);
          assert.is(features, 0x3f01cfbdfffdffffn);
          assert.is(messenger.counters().acceptFailures, 0);
        } finally {
          ceph.kill('SIGKILL');
        }
      }),
    );
  }
}

test.run();
