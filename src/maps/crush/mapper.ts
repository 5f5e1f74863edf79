/**
 * CRUSH: from an input number to a list of devices, by walking a rule over the tree of buckets.
 *
 * `doRule` is Ceph's crush_do_rule; every integer that overflows there overflows here the same way. Where
 * Ceph would crash on a broken map (an item that is no bucket, a tree that contains itself), the choice
 * counts as a bad item, and a rule that does not come to an end is stopped with an error.
 *
 * A mapper owns its scratch arrays: it allocates when the size of results grows, and never in between.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { crushHash2 } from '../hash.ts';
import { chooseItem, choosePermuted } from './buckets.ts';
import {
  type CompiledBucket,
  type CompiledChooseArgs,
  type CompiledCrush,
  compileCrush,
} from './compiled.ts';
import { BucketAlgorithm, type CrushMap, crushItemNone, RuleOp } from './map.ts';

/** Marks a position of an indep result that is not decided yet. */
const itemUndefined = 0x7ffffffe;
/** Weight of a device that is wholly in: 1.0. */
const weightIn = 0x10000;
/**
 * Choices that one placement may take, some hundred times what the largest sensible rule needs. It bounds
 * the time that a map with absurd numbers of tries can cost.
 */
const choicesMax = 1 << 20;

export class CrushMapper {
  readonly crush: CompiledCrush;
  /** Result of the last {@link doRule}: the first elements, as many as it returned. */
  result = new Int32Array(0);
  #work = new Int32Array(0);
  #chosen = new Int32Array(0);
  #leaves = new Int32Array(0);
  #choices = 0;

  // The state of the rule that runs; fields, so that the recursion does not carry twenty arguments.
  #x = 0;
  #weights: Uint32Array = new Uint32Array(0);
  #chooseArgs: CompiledChooseArgs | undefined;
  #localTries = 0;
  #localFallbackTries = 0;
  #varyR = 0;
  #stable = false;

  constructor(map: CrushMap) {
    this.crush = compileCrush(map);
  }

  /** The first rule with this set, type and room for `size`, as pools name theirs; -1 when none fits. */
  findRule(ruleset: number, type: number, size: number): number {
    return this.crush.map.rules.findIndex(
      (rule) =>
        rule !== undefined &&
        rule.ruleset === ruleset &&
        rule.type === type &&
        rule.minSize <= size &&
        rule.maxSize >= size,
    );
  }

  /**
   * Walks rule `ruleIndex` for input `x` and leaves at most `resultMax` devices in {@link result}.
   * `weights` are the OSDs' reweights (0x10000 is wholly in); devices beyond its end are out.
   * Holes of indep rules are {@link crushItemNone}.
   *
   * @returns the number of results.
   * @throws MsgrError `ERR_MSGR_MALFORMED` when the rule does not end within {@link choicesMax} choices.
   */
  doRule(
    ruleIndex: number,
    x: number,
    resultMax: number,
    weights: Uint32Array,
    chooseArgs?: CompiledChooseArgs,
  ): number {
    const { map, buckets, maxDevices } = this.crush;
    const { tunables } = map;
    const rule = map.rules[ruleIndex];
    if (rule === undefined || resultMax <= 0) return 0;
    this.#reserve(resultMax);
    this.#x = x | 0;
    this.#weights = weights;
    this.#chooseArgs = chooseArgs;
    this.#choices = 0;
    // This tunable counts retries, the others count tries.
    let chooseTries = (tunables.chooseTotalTries + 1) | 0;
    let chooseLeafTries = 0;
    this.#localTries = tunables.chooseLocalTries;
    this.#localFallbackTries = tunables.chooseLocalFallbackTries;
    this.#varyR = tunables.chooseleafVaryR;
    this.#stable = tunables.chooseleafStable !== 0;

    const result = this.result;
    let resultLength = 0;
    let work = this.#work;
    let chosen = this.#chosen;
    let workLength = 0;

    for (const { op, arg1, arg2 } of rule.steps) {
      switch (op) {
        case RuleOp.take:
          if (arg1 >= 0 ? arg1 < maxDevices : buckets[-1 - arg1] !== undefined) {
            work[0] = arg1;
            workLength = 1;
          }
          break;
        case RuleOp.setChooseTries:
          if (arg1 > 0) chooseTries = arg1;
          break;
        case RuleOp.setChooseleafTries:
          if (arg1 > 0) chooseLeafTries = arg1;
          break;
        case RuleOp.setChooseLocalTries:
          if (arg1 >= 0) this.#localTries = arg1;
          break;
        case RuleOp.setChooseLocalFallbackTries:
          if (arg1 >= 0) this.#localFallbackTries = arg1;
          break;
        case RuleOp.setChooseleafVaryR:
          if (arg1 >= 0) this.#varyR = arg1;
          break;
        case RuleOp.setChooseleafStable:
          if (arg1 >= 0) this.#stable = arg1 !== 0;
          break;
        case RuleOp.chooseFirstn:
        case RuleOp.chooseleafFirstn:
        case RuleOp.chooseIndep:
        case RuleOp.chooseleafIndep: {
          if (workLength === 0) break;
          const firstn = op === RuleOp.chooseFirstn || op === RuleOp.chooseleafFirstn;
          const toLeaf = op === RuleOp.chooseleafFirstn || op === RuleOp.chooseleafIndep;
          let length = 0;
          for (let index = 0; index < workLength; index++) {
            // Zero means as many as the pool wants, a negative number that many fewer.
            const count = arg1 > 0 ? arg1 : arg1 + resultMax;
            if (count <= 0) continue;
            const bucket = buckets[-1 - work[index]!];
            if (bucket === undefined) continue;
            const room = resultMax - length;
            if (firstn) {
              const leafTries =
                chooseLeafTries !== 0 ? chooseLeafTries : tunables.chooseleafDescendOnce ? 1 : chooseTries;
              length += this.#firstn(
                bucket,
                count,
                arg2,
                chosen,
                length,
                0,
                room,
                chooseTries,
                leafTries,
                toLeaf,
                this.#leaves,
                length,
                0,
              );
            } else {
              const size = Math.min(count, room);
              this.#indep(
                bucket,
                size,
                count,
                arg2,
                chosen,
                length,
                0,
                chooseTries,
                chooseLeafTries !== 0 ? chooseLeafTries : 1,
                toLeaf,
                this.#leaves,
                length,
                0,
              );
              length += size;
            }
          }
          if (toLeaf) for (let index = 0; index < length; index++) chosen[index] = this.#leaves[index]!;
          const swapped = work;
          work = chosen;
          chosen = swapped;
          workLength = length;
          break;
        }
        case RuleOp.emit:
          for (let index = 0; index < workLength && resultLength < resultMax; index++) {
            result[resultLength++] = work[index]!;
          }
          workLength = 0;
          break;
      }
    }
    return resultLength;
  }

  #reserve(resultMax: number): void {
    if (this.result.length >= resultMax) return;
    this.result = new Int32Array(resultMax);
    this.#work = new Int32Array(resultMax);
    this.#chosen = new Int32Array(resultMax);
    this.#leaves = new Int32Array(resultMax);
  }

  /**
   * crush_choose_firstn: `count` distinct items of `type`, failures skipped. `out` and `leaves` are used
   * from their bases on, `position` says how many places are filled already.
   * Returns the number of filled places.
   */
  #firstn(
    bucket: CompiledBucket,
    count: number,
    type: number,
    out: Int32Array,
    outBase: number,
    position: number,
    room: number,
    tries: number,
    leafTries: number,
    toLeaf: boolean,
    leaves: Int32Array,
    leavesBase: number,
    parentR: number,
  ): number {
    const { buckets, maxDevices, hashes } = this.crush;
    const x = this.#x;
    const localTries = this.#localTries;
    const localFallbackTries = this.#localFallbackTries;
    let left = room;
    for (let rep = this.#stable ? 0 : position; rep < count && left > 0; rep++) {
      let failures = 0;
      let item = 0;
      let skip = false;
      let retryDescent: boolean;
      do {
        retryDescent = false;
        let current = bucket;
        let localFailures = 0;
        let retryBucket: boolean;
        do {
          retryBucket = false;
          let collide = false;
          let reject = false;
          if (current.size === 0) {
            reject = true;
          } else {
            const r = (rep + parentR + failures) | 0;
            if (++this.#choices > choicesMax) this.#endless();
            item =
              localFallbackTries > 0 &&
              localFailures >= current.size >> 1 &&
              localFailures > localFallbackTries
                ? choosePermuted(current, x, r)
                : chooseItem(current, hashes, x, r, this.#chooseArgs?.[current.index], position);
            if (item >= maxDevices) {
              skip = true;
              break;
            }
            const child = item < 0 ? buckets[-1 - item] : undefined;
            const itemType = child === undefined ? 0 : child.type;
            if (itemType !== type || (item < 0 && child === undefined)) {
              if (child === undefined) {
                skip = true;
                break;
              }
              current = child;
              retryBucket = true;
              continue;
            }
            for (let index = 0; index < position; index++) {
              if (out[outBase + index] === item) {
                collide = true;
                break;
              }
            }
            if (!collide && toLeaf) {
              if (child !== undefined) {
                const subR = this.#varyR !== 0 ? r >> (this.#varyR - 1) : 0;
                const filled = this.#firstn(
                  child,
                  this.#stable ? 1 : position + 1,
                  0,
                  leaves,
                  leavesBase,
                  position,
                  left,
                  leafTries,
                  0,
                  false,
                  leaves,
                  leavesBase,
                  subR,
                );
                if (filled <= position) reject = true;
              } else {
                leaves[leavesBase + position] = item;
              }
            }
            if (!reject && !collide && itemType === 0) reject = this.#isOut(item);
          }
          if (reject || collide) {
            failures++;
            localFailures++;
            if (collide && localFailures <= localTries) retryBucket = true;
            else if (localFallbackTries > 0 && localFailures <= current.size + localFallbackTries)
              retryBucket = true;
            else if (failures < tries) retryDescent = true;
            else skip = true;
          }
        } while (retryBucket);
      } while (retryDescent);
      if (skip) continue;
      out[outBase + position] = item;
      position++;
      left--;
    }
    return position;
  }

  /**
   * crush_choose_indep: each position is decided for itself, so that a failure leaves a hole and moves
   * nobody else. Decides positions `position` to `position + size`.
   */
  #indep(
    bucket: CompiledBucket,
    size: number,
    count: number,
    type: number,
    out: Int32Array,
    outBase: number,
    position: number,
    tries: number,
    leafTries: number,
    toLeaf: boolean,
    leaves: Int32Array | undefined,
    leavesBase: number,
    parentR: number,
  ): void {
    const { buckets, maxDevices, hashes } = this.crush;
    const x = this.#x;
    const end = position + size;
    let left = size;
    for (let rep = position; rep < end; rep++) {
      out[outBase + rep] = itemUndefined;
      if (leaves !== undefined) leaves[leavesBase + rep] = itemUndefined;
    }
    for (let failures = 0; left > 0 && failures < tries; failures++) {
      for (let rep = position; rep < end; rep++) {
        if (out[outBase + rep] !== itemUndefined) continue;
        let current = bucket;
        for (;;) {
          if (++this.#choices > choicesMax) this.#endless();
          if (current.size === 0) break;
          // A uniform bucket whose size is a multiple of the count would repeat itself without the + 1.
          const stride =
            current.algorithm === BucketAlgorithm.uniform && current.size % count === 0 ? count + 1 : count;
          const r = (rep + parentR + Math.imul(stride, failures)) | 0;
          const item = chooseItem(current, hashes, x, r, this.#chooseArgs?.[current.index], position);
          const child = item < 0 ? buckets[-1 - item] : undefined;
          const itemType = child === undefined ? 0 : child.type;
          if (item >= maxDevices || (child === undefined && (item < 0 || itemType !== type))) {
            out[outBase + rep] = crushItemNone;
            if (leaves !== undefined) leaves[leavesBase + rep] = crushItemNone;
            left--;
            break;
          }
          if (child !== undefined && itemType !== type) {
            current = child;
            continue;
          }
          let collide = false;
          for (let index = position; index < end; index++) {
            if (out[outBase + index] === item) {
              collide = true;
              break;
            }
          }
          if (collide) break;
          if (toLeaf && leaves !== undefined) {
            if (child !== undefined) {
              this.#indep(child, 1, count, 0, leaves, leavesBase, rep, leafTries, 0, false, undefined, 0, r);
              if (leaves[leavesBase + rep] === crushItemNone) break;
            } else {
              leaves[leavesBase + rep] = item;
            }
          }
          if (itemType === 0 && this.#isOut(item)) break;
          out[outBase + rep] = item;
          left--;
          break;
        }
      }
    }
    for (let rep = position; rep < end; rep++) {
      if (out[outBase + rep] === itemUndefined) out[outBase + rep] = crushItemNone;
      if (leaves !== undefined && leaves[leavesBase + rep] === itemUndefined) {
        leaves[leavesBase + rep] = crushItemNone;
      }
    }
  }

  /** A device with a reweight below 1.0 refuses that share of all inputs, always the same ones. */
  #isOut(device: number): boolean {
    if (device >= this.#weights.length) return true;
    const weight = this.#weights[device]!;
    if (weight >= weightIn) return false;
    if (weight === 0) return true;
    return (crushHash2(this.#x, device) & 0xffff) >= weight;
  }

  #endless(): never {
    throw new MsgrError(
      ErrorCode.Malformed,
      `crush: no end of the rule within ${choicesMax} choices for input ${this.#x >>> 0}`,
      { field: 'crush.rules' },
    );
  }
}
