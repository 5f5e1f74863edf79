/**
 * Work for a quorum whose monitors die: commands that leave a trace each, an OSDMap reader, and at the end a
 * reckoning of what became of them.
 */
import * as assert from 'uvu/assert';
import { MsgrError } from '../../../src/errors.ts';
import type { MonClient } from '../../../src/mon/client/mon-client.ts';
import { waitUntil, withTimeout } from '../../support/timeout.ts';

/** Commands under way at the same time. */
const parallel = 4;

export class QuorumWorkload {
  readonly client: MonClient;
  /** Epochs as the reader saw them. */
  readonly epochs: number[] = [];
  /** Keys that were set and acknowledged. */
  readonly acknowledged: string[] = [];
  readonly failures: MsgrError[] = [];
  #asked = 0;
  #isStopping = false;
  readonly #work: Promise<unknown>;
  readonly #reading: Promise<void>;

  constructor(client: MonClient) {
    this.client = client;
    this.#reading = this.#read();
    this.#work = Promise.all(Array.from({ length: parallel }, () => this.#worker()));
  }

  get answered(): number {
    return this.acknowledged.length;
  }

  /** So many more commands are answered, of those that are asked from now on too. */
  async progress(count: number, timeoutMs: number): Promise<void> {
    const goal = this.answered + count;
    await waitUntil(() => this.answered >= goal, timeoutMs, `${count} commands to be answered`);
  }

  /** Lets the commands under way end, and compares what was promised with what the monitors have. */
  async finish(): Promise<void> {
    this.#isStopping = true;
    await withTimeout(this.#work, 30_000, 'the last commands');
    assert.equal(this.failures, [], 'no command had a reason to fail');
    assert.is(this.answered, this.#asked, 'each command was answered');

    const { output } = await this.client.command({ prefix: 'config-key ls', format: 'json' });
    const kept = new Set(JSON.parse(output.toString()) as string[]);
    assert.equal(
      this.acknowledged.filter((key) => !kept.has(key)),
      [],
      'what was acknowledged is there',
    );

    const newest = Number((await this.client.getVersion('osdmap')).newest);
    await waitUntil(() => (this.epochs.at(-1) ?? 0) >= newest, 20_000, `osdmap ${newest}`);
    const [first] = this.epochs;
    assert.is(first, 1);
    assert.equal(
      this.epochs,
      Array.from({ length: newest }, (_, index) => index + 1),
      'each epoch once and in order',
    );
    await this.client.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const { epoch } of this.client.osdMaps({ from: 1 })) this.epochs.push(epoch);
  }

  /** By turns a key of its own, which shows whether the command was carried out, and a change of the OSDMap. */
  async #worker(): Promise<void> {
    while (!this.#isStopping) {
      const n = ++this.#asked;
      const key = `msgr2/work/${n}`;
      try {
        await this.client.command({ prefix: 'config-key set', key, val: String(n) });
        await this.client.command({ prefix: n % 2 === 0 ? 'osd set' : 'osd unset', key: 'noscrub' });
        this.acknowledged.push(key);
      } catch (error) {
        if (!(error instanceof MsgrError)) throw error;
        this.failures.push(error);
      }
    }
  }
}
