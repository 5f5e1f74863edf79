/**
 * Lossless sessions through injected socket failures, as long as one likes:
 *
 *     node --import tsx scripts/soak.ts --messages 10000000 --kills 100000
 *
 * Runs both policy pairs on the transport given (async); exits 1 when a message is lost, doubled, out of
 * order or unexpected.
 */
import { parseArgs } from 'node:util';
import { type SoakPolicy, soak } from '../test/soak/soak.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000000' },
    kills: { type: 'string', default: '100000' },
    links: { type: 'string', default: '8' },
    'failures-one-in': { type: 'string', default: '30' },
    transport: { type: 'string', default: 'async' },
    policy: { type: 'string', default: 'lossless_peer,lossless_client' },
  },
});

for (const policy of values.policy.split(',')) {
  const startedAt = performance.now();
  let toldAt = startedAt;
  const result = await soak({
    transport: values.transport === 'simple' ? 'simple' : 'async',
    policy: policy as SoakPolicy,
    messages: Number(values.messages),
    kills: Number(values.kills),
    links: Number(values.links),
    failuresOneIn: Number(values['failures-one-in']),
    onProgress({ sent, received, kills }) {
      if (performance.now() - toldAt < 10_000) return;
      toldAt = performance.now();
      console.log(`  ${policy}: ${sent} sent, ${received} received, ${kills} kills`);
    },
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(
    `${values.transport} ${policy}: ${result.sent} sent, ${result.received} received in order through ${result.kills} kills, ` +
      `${result.replayed} sent again, ${result.duplicatesDropped} duplicates dropped, ${seconds} s: ` +
      `${result.violations.length} violations`,
  );
  for (const violation of result.violations) console.log(`  ${violation}`);
  if (result.violations.length > 0) process.exitCode = 1;
}
