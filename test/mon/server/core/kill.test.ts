/**
 * kill -9 under load, the short form of scripts/mon-kill.ts.
 * @timeLimitSeconds 240
 */
import { randomInt } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Random } from '../../../../src/transport/memory/random.ts';
import { runKills } from '../support/mon-kill/kill-run.ts';

test('killed 8 times under load: it starts every time, nothing told is lost or torn', async () => {
  const random = new Random(12);
  const kills = 8;
  const host = `127.${randomInt(16, 250)}.${randomInt(1, 250)}.1`;
  const result = await runKills({ kills, host, random: () => random.next() / 2 ** 32 });
  assert.is(result.kills, kills);
  const { counts } = result.ledger;
  for (const what of ['maps', 'keys', 'boots'] as const) assert.ok(counts[what] > 0, `${what} were told`);
});

test.run();
