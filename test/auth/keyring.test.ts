import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CryptoKey } from '../../src/auth/cephx/crypto-key.ts';
import { KeyType } from '../../src/auth/cephx/key-type.ts';
import { Keyring, parseAuthName } from '../../src/auth/keyring.ts';
import { ErrorCode } from '../../src/errors.ts';
import { msgrError } from '../support/wire-checks.ts';

const recorded = join(dirname(fileURLToPath(import.meta.url)), '../fixtures/handshakes/cephx-crc/keyring');
const admin = parseAuthName('client.admin');
const folder = mkdtempSync(join(tmpdir(), 'msgr2-keyring-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('the keyring of a real cluster comes out as it went in', () => {
  const keyring = Keyring.load([recorded]);
  assert.equal(keyring.names().map(String), ['client.admin', 'mon.', 'osd.0', 'osd.1', 'osd.2']);
  assert.equal(
    [...keyring.require(admin).caps],
    [
      ['mgr', 'allow *'],
      ['mon', 'allow *'],
      ['osd', 'allow *'],
    ],
  );
  assert.is(keyring.format(), readFileSync(recorded, 'utf8'));
});

test('comments, blanks, quotes, underscores and unknown lines', () => {
  const key = CryptoKey.generate(KeyType.Aes256k).toBase64();
  const keyring = Keyring.parse(
    `# a comment\n; another\n[ client.x ]\r\n  key=${key}\n auid = 3\n caps_mon = "profile \\"a\\""\n\tcaps  osd =allow r\n`,
  );
  const { caps } = keyring.require(parseAuthName('client.x'));
  assert.equal(
    [...caps],
    [
      ['mon', 'profile "a"'],
      ['osd', 'allow r'],
    ],
  );
  assert.is(Keyring.parse(keyring.format()).format(), keyring.format());
});

test('errors name file and line, and never the key', () => {
  const broken: [string, string, RegExp][] = [
    ['key = x\n', 'f:1', /section/],
    ['[client.x\n', 'f:1', /section/],
    ['[nobody]\nkey = x\n', 'f:1', /TYPE\.ID/],
    ['[person.x]\n', 'f:1', /type must be/],
    ['[client.x]\n\nkey\n', 'f:3', /NAME = VALUE/],
    ['[client.x]\n key = U0VDUkVUU0VDUkVU\n', 'f:2', /no cephx key/],
    ['[client.x]\n key = SECRET!\n', 'f:2', /base64/],
    ['[client.x]\ncaps mon = "a"\n[client.y]\n', 'f:1', /no key/],
  ];
  for (const [text, place, reason] of broken) {
    const { message } = msgrError(() => Keyring.parse(text, 'f'), ErrorCode.Keyring);
    assert.ok(message.startsWith(`${place}: `), message);
    assert.match(message, reason);
    assert.not.match(message, /SECRET|U0VD/);
  }
});

test('the first file that exists counts; none is an error that lists them', () => {
  const path = join(folder, 'keyring');
  writeFileSync(path, readFileSync(recorded), { mode: 0o600 });
  const keyring = Keyring.load([join(folder, 'missing'), path, recorded]);
  assert.is(keyring.path, path);
  const nowhere = msgrError(() => Keyring.load(['/nonexistent/a', '/nonexistent/b']), ErrorCode.Keyring);
  assert.match(nowhere.message, /\/nonexistent\/a, \/nonexistent\/b/);
  const isFolder = msgrError(() => Keyring.load([folder]), ErrorCode.Keyring);
  assert.match(isFolder.message, /EISDIR/);
  const { message } = msgrError(() => keyring.require(parseAuthName('client.y')), ErrorCode.Keyring);
  assert.match(message, /no key for client\.y, but for client\.admin, mon\., osd\.0/);
});

test('a keyring that is printed shows no secret', () => {
  const text = readFileSync(recorded, 'utf8');
  const keyring = Keyring.load([recorded]);
  const shown = inspect(keyring, { depth: 9, showHidden: true }) + inspect(keyring.get(admin), { depth: 9 });
  for (const [, base64] of text.matchAll(/key = (\S+)/g)) {
    assert.not.ok(shown.includes(base64!));
    assert.not.ok(shown.includes(Buffer.from(base64!, 'base64').subarray(12).toString('hex')));
  }
});

test('ceph-authtool reads what we write, and we what it writes', () => {
  try {
    execFileSync('ceph-authtool', ['--version'], { stdio: 'ignore' });
  } catch {
    console.log('SKIPPED ceph-authtool is not installed');
    return;
  }
  const path = join(folder, 'ours');
  const keyring = new Keyring();
  const key = CryptoKey.generate(KeyType.Aes);
  keyring.set(admin, { key, caps: new Map([['mon', 'allow profile "x", allow r']]) });
  writeFileSync(path, keyring.format(), { mode: 0o600 });
  const run = (...args: string[]): string => execFileSync('ceph-authtool', args, { encoding: 'utf8' });
  assert.is(run(path, '--print-key', '-n', 'client.admin').trim(), key.toBase64());
  run(path, '-n', 'osd.7', '--gen-key', '--cap', 'osd', 'allow *');
  const again = Keyring.load([path]);
  assert.equal(again.names().map(String).sort(), ['client.admin', 'osd.7']);
  assert.equal(again.require(admin).caps, keyring.require(admin).caps);
  assert.is(again.require(parseAuthName('osd.7')).key.toBase64(), run(path, '-p', '-n', 'osd.7').trim());
});

test.run();
