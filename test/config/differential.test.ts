/**
 * ceph.conf as ceph-conf reads it: tricky files, random ones, metavariables, and the values of options of
 * every form.
 *
 * @timeLimitSeconds 300
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CephConfig } from '../../src/config/ceph-config.ts';
import { ConfFile } from '../../src/config/conf-file.ts';
import { MsgrError } from '../../src/errors.ts';
import { type NumberForm, numberForm, type OptionName, optionTable } from '../../src/options.ts';
import { Random } from '../../src/transport/memory/random.ts';
import { EntityAuthName } from '../../src/wire/entity-name.ts';
import { ConfFolder, haveCephConf } from './support/ceph-conf.ts';

/** Files by what they try; each in the section of the entity that asks, client.admin, or in one above it. */
const trickyFiles: Readonly<Record<string, string>> = {
  quotes: '[global]\na = "x y"\nb = \'x "z y\'\nc = x"y"z\nd = "x\\"y"\ne = " z "\nf = ""\n',
  'text behind a quote': '[global]\na = "x" y\n',
  'a comment behind a quote': '[global]\na = "x" # y\nb = "x" ; y\n',
  'a comment inside quotes': '[global]\na = "x # y"\n',
  'an escaped comment inside quotes': '[global]\na = "x \\# y"\n',
  comments: '# 1\n;2\n[global] # 3\n # 4\na = 1 # 5\nb = 2;6\n\n#7\nc=3\n',
  'joined lines': '[global]\na = x \\\n  y\\\nz\nb\\\n c = 1\nd \\\n= 2\n',
  'a joined line inside quotes': '[global]\na = "x \\\ny"\n',
  'a joined line before a quote': '[global]\na = \\\n"x"\nb = \\\n "x"\n',
  escapes: '[global]\na = x \\# y \\\\ z \\n \\; \\"\n',
  keys: '[global]\na b\t c = 1\nd-e = 2\nF = 3\n\tg\t= 4\nh[i = 5\n',
  'a key with a bracket': '[global]\nh]i = 5\nj"k = 6\n',
  'an escaped equals sign': '[global]\na\\=b = 5\n',
  'repeated keys and sections': '[global]\na=1\nb=1\na=2\n[client]\nb=2\n[global]\nb=3\nc=1\n',
  'one line only': 'a = 1\n',
  'one line only, and no line end': 'a = 1',
  'two lines without a section': 'a = 1\nb = 2\n',
  'one line, then a section': 'a = 1\n[global]\nb = 2\n',
  'no last line end': '[global]\na = 1',
  'no last line end, behind a comment': '[global]\na = 1 # x',
  'a comment without a line end': '[global]\na = 1\n# x',
  'blanks at the end': '[global]\na = 1\n  ',
  'other line ends': '[global]\r\na = 1\r\nb = 2\r\r\nc = 3\n',
  'a blank line first': '   \n[global]\na = 1\n',
  'an indented section': '  [global]\na = 1\n',
  'a later indented section': '[global]\na = 1\n  [client]\na = 2\n',
  'a section with blanks': '[ global ]\na = 1\n[global]\nb = 2\n',
  'an entry beside its section': '[global] a = 1\n',
  'an unclosed section': '[global\na = 1\n',
  'a section with a comment': '[glo#bal]\na = 1\n',
  'an empty section name': '[]\na = 1\n',
  'an escaped bracket': '[glo\\]bal]\na = 1\n',
  'a section name over two lines': '[glo\\\nbal]\na = 1\n',
  'a line that is none': '[global]\na = 1\nfoo\nb = 2\n',
  'no key': '[global]\n= 1\n',
  'no value': '[global]\na =\nb = # x\nc = \\\n\n',
  'a backslash at the end': '[global]\na = x\\',
  empty: '',
  'only comments': '# x\n\n; y',
  case: '[GLOBAL]\na = 1\n[global]\nA = 2\n[Client]\nb = 3\n',
  'vertical tabs': '[global]\na\vb = \fx\v\n',
  // Outside of quotes and comments Debian's tool aborts on them; here they are read.
  letters: '# Zürich\n[global]\na = "Zürich ☃"\n',
  precedence: '[global]\na=1\nb=1\nc=1\n[client]\nb=2\nc=2\n[client.admin]\nc=3\n[mon]\na=4\n',
};

const admin = EntityAuthName.parse('client.admin');

/** Compares one file; what both refuse is fine. True when it was read. */
function compare(folder: ConfFolder, text: string, what: string): boolean {
  const path = folder.write(text);
  const theirs = folder.ask(['-c', path, '-L']);
  let file: ConfFile;
  try {
    file = ConfFile.parse(Buffer.from(text), path);
  } catch (error) {
    assert.instance(error, MsgrError);
    assert.is(theirs, undefined, `${what}: ${(error as MsgrError).message}, but ceph-conf reads it`);
    return false;
  }
  const names = (list: Iterable<string>): string => [...list].sort().join('\n');
  assert.is(
    names(file.sections.keys()),
    theirs === undefined ? 'refused' : names(theirs.split('\n').filter((line) => line !== '')),
    `${what}: sections`,
  );
  const config = new CephConfig({ name: admin, file });
  const keys = new Set([...file.sections.values()].flatMap((section) => [...section.keys()]));
  for (const key of ['a', ...keys]) {
    const value = folder.ask(['-c', path, '--name', 'client.admin', '--lookup', key]);
    assert.is(config.get(key), value, `${what}: ${key}`);
  }
  return true;
}

if (haveCephConf('test/config/differential')) {
  test('tricky files', () => {
    using folder = new ConfFolder();
    const read = Object.entries(trickyFiles).filter(([what, text]) => compare(folder, text, what));
    assert.ok(
      read.length > 20 && read.length < Object.keys(trickyFiles).length - 10,
      `${read.length} were read`,
    );
  });

  test('random files', () => {
    const seed = Number(process.env.CONF_SEED ?? 7);
    const random = new Random(seed);
    const pick = <T>(choices: readonly T[]): T => choices[random.integer(0, choices.length - 1)]!;
    const pieces = [...'ab =="\'#;\\[]\t\n', '\\\n', ' # c\n', '\r\n', '\n[client]\n', '\na = ', '\nb b = '];
    const file = (): string => {
      const body = Array.from({ length: random.integer(1, 8) }, () => pick(pieces)).join('');
      return `${random.chance(0.8) ? '[global]\n' : ''}${random.chance(0.7) ? 'a = ' : ''}${body}${random.chance(0.8) ? '\n' : ''}`;
    };
    using folder = new ConfFolder();
    let read = 0;
    const files = Number(process.env.CONF_FILES ?? 120);
    for (let index = 0; index < files; index++) {
      const text = file();
      if (compare(folder, text, `seed ${seed}: ${JSON.stringify(text)}`)) read++;
    }
    assert.ok(read > files / 10 && read < files, `${read} of ${files} were read`);
  });

  test('metavariables', () => {
    using folder = new ConfFolder();
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: braces are a part of what is tested
    const values = [
      '$cluster $type $id $name $num',
      // Only at the beginning: Ceph 16 forgets what stands before it.
      '$home/x',
      '${cluster}x${id}y$type.z',
      '$idx $id_x $id-x $Id $1id $no_such_name ${no_such_name}',
      'a$ b$$c $${id} a${id',
      'a${}b ${id b} ${i1} ${id-} ${ID} ${{id}} ${id}} ${',
      '\\$id $',
      '$run_dir/$cluster-$name.asok',
      '$host $osd_data $mon_data',
      '$ms_type $auth_client_required $ms_bind_retry_count',
    ];
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: braces are a part of what is tested
    for (const name of ['client.admin', 'osd.3', 'client.foo.bar', 'mgr.x']) {
      for (const value of values) {
        const path = folder.write(`[global]\nhost = h\nsome_key = ${value}\n`);
        const config = new CephConfig({
          name: EntityAuthName.parse(name),
          cluster: 'f',
          file: ConfFile.parse(`[global]\nhost = h\nsome_key = ${value}\n`, path),
          environment: { HOME: folder.path },
        });
        const theirs = folder.ask(['-c', path, '--name', name, '--lookup', 'some_key']);
        assert.is(config.get('some_key'), theirs, `${name}: ${value}`);
      }
    }
  });

  test('keyrings of every type of entity', () => {
    using folder = new ConfFolder();
    const path = folder.write('[global]\nhost = h\n');
    for (const name of ['client.admin', 'osd.3', 'mon.a', 'mgr.x', 'mds.y', 'client.foo.bar']) {
      const theirs = folder.ask(['-c', path, '--name', name, '--show-config-value', 'keyring'])!;
      const config = new CephConfig({ name: EntityAuthName.parse(name), cluster: 'f' });
      assert.equal(
        config.keyringPaths,
        theirs.split(',').filter((part) => part !== ''),
        name,
      );
    }
  });

  test('where a file is looked for', () => {
    using folder = new ConfFolder();
    for (const name of ['own', 'zz', 'env']) folder.write(`[global]\na = ${name} $cluster\n`, `${name}.conf`);
    folder.write('[global]\na = plain $cluster\n', 'noext');
    const none = `${folder.path}/none.conf`;
    const cases: readonly (readonly [args: readonly string[], environment?: Record<string, string>])[] = [
      [['-c', `${folder.path}/own.conf`]],
      [['-c', `${folder.path}/noext`]],
      [['-c', `${folder.path}/own.conf`, '--cluster', 'zz']],
      [['-c', `${folder.path}/$cluster.conf`, '--cluster', 'zz']],
      [['-c', `${none},${folder.path}/zz.conf`]],
      [['-c', `${none};${folder.path}/zz.conf`]],
      [['-c', none]],
      [[], { CEPH_CONF: `${folder.path}/env.conf` }],
      [['-c', `${folder.path}/own.conf`], { CEPH_CONF: `${folder.path}/env.conf` }],
      [[], { CEPH_CONF: none }],
    ];
    for (const [args, environment = {}] of cases) {
      const theirs = folder.ask([...args, '--lookup', 'a'], environment);
      const option = (name: string): string | undefined =>
        args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
      let ours: string | undefined;
      try {
        ours = CephConfig.load({
          name: admin,
          conf: option('-c'),
          cluster: option('--cluster'),
          environment: { HOME: folder.path, ...environment },
        }).get('a');
      } catch (error) {
        assert.instance(error, MsgrError);
      }
      assert.is(ours, theirs, `${args.join(' ')} ${JSON.stringify(environment)}`);
    }
  });

  /** One option of each form that Ceph has too, and texts that try it. */
  const forms: Readonly<Record<NumberForm | 'boolean' | 'string', OptionName>> = {
    int: 'mon_client_directed_command_retry',
    size: 'ms_dispatch_throttle_bytes',
    secs: 'client_mount_timeout',
    float: 'ms_max_backoff',
    boolean: 'ms_die_on_old_message',
    string: 'ms_type',
  };
  const texts = [
    ...[
      '7',
      '+7',
      '07',
      '7K',
      '7k',
      '7 K',
      '7B',
      '7KB',
      '7Ki',
      '7KiB',
      '7Kx',
      '7i',
      '7M',
      '0x10',
      '1.5',
      '7.',
      '.5',
    ],
    ...[
      '1e2',
      '1E2',
      '1e',
      'inf',
      '',
      '"7"',
      '7 7',
      'x',
      '1h',
      '1 h',
      '1h 30m',
      '2min',
      '1H',
      '1.5h',
      '5x',
      '3 weeks',
    ],
    ...['true', 'TRUE', 'false', 'yes', 'no', 'on', '0', '00', '1', '2', '-1', '+1', '99999999999999999999'],
  ];

  test('texts of every form', () => {
    using folder = new ConfFolder();
    for (const [form, option] of Object.entries(forms)) {
      for (const text of texts) {
        const content = `[global]\n${option} = ${text}\n`;
        const path = folder.write(content);
        const theirs = folder.ask(['-c', path, '--show-config-value', option])!;
        const { options } = new CephConfig({ name: admin, file: ConfFile.parse(content, path) });
        const value = options[option] ?? optionTable[option].default;
        const normal = typeof value === 'number' ? Number(theirs) : theirs;
        // Ours are neither negative nor infinite nor beyond what a number holds exactly; Ceph's may be.
        if (typeof normal === 'number' && !(normal >= 0 && normal <= Number.MAX_SAFE_INTEGER)) continue;
        assert.is(typeof value === 'boolean' ? String(value) : value, normal, `${form} ${option} = ${text}`);
      }
    }
  });

  test('the defaults of the table are those of Ceph, and so are the forms', () => {
    /** What this project decides for itself. */
    const own = [
      'ms_busy_poll_us',
      'ms_send_high_water_mark',
      'ms_tcp_congestion_control',
      'ms_async_op_threads',
      'auth_allow_insecure_global_id_reclaim',
    ];
    using folder = new ConfFolder();
    for (const option of Object.keys(optionTable) as OptionName[]) {
      if (own.includes(option)) continue;
      const definition = optionTable[option];
      const show = (text?: string): string | undefined => {
        const path = folder.write(text === undefined ? '' : `[global]\n${option} = ${text}\n`);
        return folder.ask(['-c', path, '--show-config-value', option]);
      };
      const theirs = show();
      // Options of later releases than the one that is installed.
      if (theirs === undefined) continue;
      const normal = typeof definition.default === 'number' ? Number(theirs) : theirs;
      const ours = typeof definition.default === 'boolean' ? String(definition.default) : definition.default;
      assert.is(ours, normal, option);
      if (typeof definition.default !== 'number') continue;
      const form = numberForm(definition);
      const isTaken = (text: string, value: number): boolean => Number(show(text)) === value;
      // A form that a limit forbids is not asked for.
      if ((definition.max ?? 2) < 2) continue;
      assert.is(isTaken('1.5', 1.5), form === 'float', `${option} takes 1.5`);
      assert.is(isTaken('2h', 7200), form === 'secs', `${option} takes 2h`);
      if ((definition.max ?? 7168) < 7168) continue;
      assert.is(isTaken('7K', 7168), form === 'size', `${option} takes 7K as 7168`);
      assert.is(isTaken('7K', 7000), form === 'int', `${option} takes 7K as 7000`);
    }
  });
}

test.run();
