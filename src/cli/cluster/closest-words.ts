/** What somebody who mistyped may have meant. */

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      let least = Math.min(
        rows[row - 1]![column]! + 1,
        current[column - 1]! + 1,
        rows[row - 1]![column - 1]! + (isSame ? 0 : 1),
      );
      const isSwap =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (isSwap) least = Math.min(least, rows[row - 2]![column - 2]! + 1);
      current.push(least);
    }
    rows.push(current);
  }
  return rows[one.length]![other.length]!;
}

/** Word lists within reach of what was typed, the nearest first. Words beyond those of the list are arguments. */
export function closestWords<Key>(
  lists: ReadonlyMap<Key, readonly string[]>,
  typed: readonly string[],
): Key[] {
  return [...lists]
    .map(([key, words]) => ({ key, words, distance: distanceOf(words, typed) }))
    .filter(({ distance, words }) => distance <= reach(words))
    .sort((one, other) => one.distance - other.distance || other.words.length - one.words.length)
    .map(({ key }) => key);
}

function distanceOf(words: readonly string[], typed: readonly string[]): number {
  return words.reduce((sum, word, index) => {
    const other = typed[index];
    return sum + (other === undefined ? word.length : editDistance(word, other));
  }, 0);
}

/** A third of the letters may be wrong. */
function reach(words: readonly string[]): number {
  return Math.max(1, Math.floor(words.join('').length / 3));
}
