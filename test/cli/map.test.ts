/** `msgr2 map` against osdmaptool on the same files, and what it says when it cannot answer. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CliError } from '../../src/cli/cli-error.ts';
import { mapCommand } from '../../src/cli/map.ts';
import { decodeOsdMap, encodeOsdMap } from '../../src/maps/osdmap-codec.ts';
import { haveCephTools, inTemporaryFolder, runTool } from '../maps/support/ceph-tools.ts';
import { recordedHistories, recordedMaps } from '../maps/support/recorded-maps.ts';
import { smallMap } from '../maps/support/small-map.ts';

/** What the command writes for these arguments. */
function ask(...args: string[]): string {
  let text = '';
  const command = mapCommand((part) => {
    text += part;
  });
  for (const each of [command, ...command.commands])
    each.exitOverride().configureOutput({ writeErr: () => {} });
  command.parse(args, { from: 'user' });
  return text;
}

function refusal(...args: string[]): string {
  try {
    ask(...args);
  } catch (error) {
    assert.instance(error, Error);
    assert.not.match((error as Error).message, /\n/, 'one line');
    if (error instanceof CliError) assert.is(error.exitCode, 1);
    return (error as Error).message;
  }
  throw new Error(`${args.join(' ')} was answered`);
}

/** Files with the small map, the recorded ones and a map that ends too early. */
function withFiles(
  body: (files: { small: string; recorded: string[]; cut: string }, folder: string) => void,
): void {
  inTemporaryFolder((folder) => {
    const file = (name: string, bytes: Uint8Array): string => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return path;
    };
    const small = encodeOsdMap(smallMap(5, 2));
    const { full } = recordedMaps('none');
    const maps = [...full.map(([, bytes]) => bytes), ...recordedHistories().map((history) => history.full)];
    body(
      {
        small: file('small', small),
        recorded: maps.map((bytes, index) => file(`recorded.${index}`, bytes)),
        cut: file('cut', small.subarray(0, 500)),
      },
      folder,
    );
  });
}

if (haveCephTools('test/cli/map')) {
  test('print, pg and test-pgs say what osdmaptool says', () => {
    withFiles(({ small, recorded }, folder) => {
      const tool = (...args: string[]): string => runTool(folder, 'osdmaptool', args);
      for (const path of [small, ...recorded]) {
        assert.is(ask('print', '--map', path), tool(path, '--print'));
        const pools = [...decodeOsdMap(readFileSync(path)).pools.keys()];
        for (const pool of pools) {
          const pg = `${pool}.3`;
          assert.is(ask('pg', pg, '--map', path), tool(path, '--test-map-pg', pg));
          const distribution = tool(path, '--test-map-pgs', '--pool', String(pool));
          assert.ok(
            ask('test-pgs', '--pool', String(pool), '--map', path).startsWith(distribution),
            distribution,
          );
        }
        if (pools.length > 0)
          assert.ok(ask('test-pgs', '--map', path).startsWith(tool(path, '--test-map-pgs')));
      }
    });
  });

  test('an object lies where osdmaptool puts it', () => {
    withFiles(({ small }, folder) => {
      for (const name of ['foo', 'a', 'rbd_data.1234.0000000000000001', 'ünï']) {
        const theirs = runTool(folder, 'osdmaptool', [small, '--test-map-object', name, '--pool', '1']);
        const [, pg, acting] = /-> (\S+) -> (\S+)/.exec(theirs)!;
        const ours = ask('object', 'data', name, '--map', small);
        assert.ok(ours.includes(`(${pg})`) && ours.includes(`acting (${acting},`), `${theirs}${ours}`);
      }
    });
  });
}

test('object: the words of `ceph osd map`, namespace and key', () => {
  withFiles(({ small }) => {
    const plain = ask('object', 'data', 'foo', '--map', small);
    assert.match(
      plain,
      /^osdmap e10 pool 'data' \(1\) object 'foo' -> pg 1\.7fc1f406 \(1\.6\) -> up \(\[\d,\d,\d\], p\d\) acting \(\[\d,\d,\d\], p\d\)\n$/,
    );
    assert.match(
      ask('object', 'data', 'bar', '--key', 'foo', '--map', small),
      /object 'bar' -> pg 1\.7fc1f406 /,
    );
    assert.match(
      ask('object', 'data', 'foo', '--namespace', 'ns', '--map', small),
      /object 'ns\/foo' -> pg 1\.(?!7fc1f406)/,
    );
  });
});

test('test-pgs: a bar for every OSD, the fullest the longest', () => {
  withFiles(({ small }) => {
    const lines = ask('test-pgs', '--map', small).split('\n');
    const bars = lines.filter((line) => line.includes('|'));
    assert.is(bars.length, 10);
    const longest = Math.max(...bars.map((line) => line.split('#').length - 1));
    assert.is(longest, 50);
    const [, max] = / max osd\.(\d+) /.exec(lines.join('\n'))!;
    assert.is(bars.find((line) => line.startsWith(`osd.${max} `))!.split('#').length - 1, 50);
  });
});

test('file: objects, their bytes and their places', () => {
  withFiles(({ small }) => {
    const layout = ['--object-size', '4M', '--stripe-unit', '1M', '--stripe-count', '3'];
    const lines = ask('file', '--size', '20M', ...layout, '--inode', '10000000abc')
      .trimEnd()
      .split('\n');
    assert.is(lines[0], 'size 20971520 object_size 4194304 stripe_unit 1048576 stripe_count 3 -> 6 objects');
    assert.is(lines[1], " object '10000000abc.00000000' -> file offset 0 bytes 4194304");
    assert.is(lines[6], " object '10000000abc.00000005' -> file offset 14680064 bytes 2097152");
    const placed = ask('file', '--size', '5M', '--image', '12ab', '--map', small, '--pool', 'data');
    assert.match(
      placed,
      / object 'rbd_data\.12ab\.0000000000000001' -> .* bytes 1048576 -> pg 1\.[0-9a-f]+ -> acting \(\[/,
    );
  });
});

test('what cannot be answered is one clear line', () => {
  withFiles(({ small, cut }, folder) => {
    assert.match(refusal('print', '--map', join(folder, 'nowhere')), /ENOENT.*nowhere/);
    assert.match(refusal('print', '--map', cut), /cut' is no OSDMap: osdmap\.struct_len at byte 2/);
    assert.match(refusal('object', 'nope', 'x', '--map', small), /no pool 'nope'; the map has 'data', 'ec'/);
    assert.match(refusal('pg', '9.1', '--map', small), /no pool 9/);
    assert.match(refusal('pg', 'zz', '--map', small), /"zz" is not a PG id/);
    assert.match(refusal('test-pgs', '--pool', '9', '--map', small), /There is no pool 9/);
    assert.match(
      refusal('file', '--size', '1M', '--object-size', '4M', '--stripe-unit', '3M'),
      /not a multiple/,
    );
    assert.match(refusal('file', '--size', '1X'), /'1X' is no size/);
    assert.match(refusal('file', '--size', '1M', '--pool', 'data'), /go together/);
    assert.match(refusal('file', '--size', '8T', '--object-size', '1K'), /too many to list/);
    assert.match(refusal('print'), /--map/);
  });
});

test.run();
