/**
 * At least 500,000 messages through 5,000 injected kills over real sockets: none lost, doubled, out of
 * order or unexpected, by the ledgers of both ends. scripts/soak.ts is the long form.
 *
 * @timeLimitSeconds 600
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { testTransports } from '../support/messengers.ts';
import { limited } from '../support/timeout.ts';
import { soak } from './soak.ts';

for (const transport of testTransports()) {
  for (const policy of ['lossless_peer', 'lossless_client'] as const) {
    const share = transport === 'async' ? 1 : 0.2;
    test(
      `${transport}, ${policy}: the ledgers of both ends agree`,
      limited(280_000, async () => {
        const result = await soak({
          transport,
          policy,
          messages: 260_000 * share,
          kills: 2600 * share,
          links: 4,
          failuresOneIn: 30,
        });
        assert.equal(result.violations, []);
        assert.is(result.received, result.sent);
        assert.ok(result.sent >= 260_000 * share && result.kills >= 2600 * share, JSON.stringify(result));
        assert.ok(result.replayed > 0, 'no message was ever sent again: the injection does not work');
      }),
    );
  }
}

test.run();
