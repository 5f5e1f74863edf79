/** The lab that tests of two NICs stand on: what it says is broken is broken, one link and one way at a time. */
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LabHost, type LabNetwork, NetworkLab, requireNetworkLab } from '../support/network-lab/lab.ts';

/** Answers every datagram; ends with its standard input. */
const echo = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
  socket.bind(7000, process.argv[1], () => console.log('ready'));
  process.stdin.on('end', () => process.exit(0)).resume();
`;
/** Sends datagrams of a size, 10 ms apart, and prints how many came back and how long the fastest took. */
const probe = `
  const [, host, count, bytes] = process.argv;
  const socket = require('node:dgram').createSocket('udp4');
  let back = 0, fastest = Infinity;
  socket.on('message', (message) => {
    back += 1;
    fastest = Math.min(fastest, performance.now() - message.readDoubleLE(0));
  });
  let sent = 0;
  const timer = setInterval(() => {
    const message = Buffer.alloc(Number(bytes));
    message.writeDoubleLE(performance.now(), 0);
    socket.send(message, 7000, host, () => {});
    if (++sent === Number(count)) {
      clearInterval(timer);
      setTimeout(() => { console.log(JSON.stringify({ back, fastest })); process.exit(0); }, 700);
    }
  }, 10);
`;

interface Probed {
  readonly back: number;
  readonly fastest: number;
}

async function probeFrom(
  host: LabHost,
  to: LabHost,
  network: LabNetwork,
  count = 20,
  bytes = 64,
): Promise<Probed> {
  const args = ['-e', probe, to.address(network), String(count), String(bytes)];
  return JSON.parse(await host.run(process.execPath, args));
}

if (await requireNetworkLab('the network lab')) {
  test('links fail one by one, one way, by size, by chance and by delay', async () => {
    await using lab = await NetworkLab.create({ hosts: 2 });
    const [one, two] = [lab.host(1), lab.host(2)];
    const servers = [];
    for (const network of ['front', 'back'] as const) {
      const server = two.start(process.execPath, ['-e', echo, two.address(network)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      await once(server.stdout!, 'data');
      servers.push(server);
    }

    assert.is((await probeFrom(one, two, 'front')).back, 20);
    assert.is((await probeFrom(one, two, 'back', 20, 8000)).back, 20, 'jumbo frames');

    await lab.setLink(two, 'back', { down: true });
    assert.is((await probeFrom(one, two, 'back')).back, 0);
    assert.is((await probeFrom(one, two, 'front')).back, 20, 'the other network is as it was');
    await lab.setLink(two, 'back', { down: false });
    await lab.setLink(one, 'back', { down: true }, ['in']);
    assert.is((await probeFrom(one, two, 'back')).back, 0, 'answers do not come in');
    await lab.setLink(one, 'back', { down: false }, ['in']);

    await lab.setLink(one, 'front', { mtu: 1500 });
    assert.is((await probeFrom(one, two, 'front', 20, 1000)).back, 20);
    assert.is((await probeFrom(one, two, 'front', 20, 2000)).back, 0, 'a black hole');
    await lab.setLink(one, 'front', { mtu: 9000, loss: 0.5 }, ['out']);
    const { back } = await probeFrom(one, two, 'front', 100);
    assert.ok(back > 20 && back < 80, `${back} of 100 came back`);
    await lab.setLink(one, 'front', { loss: 0, delayMs: 100 });
    const delayed = await probeFrom(one, two, 'front', 5);
    assert.ok(delayed.fastest >= 100, `the fastest took ${delayed.fastest} ms`);

    for (const server of servers) {
      server.stdin!.end();
      if (server.exitCode === null) await once(server, 'exit');
    }
  });
}

test.run();
