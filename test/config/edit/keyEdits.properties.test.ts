import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commentsIn } from '../../../src/config/comments';
import { changedValue, sameValue } from '../../../src/config/edit/changedValue';
import { applyEdits, editsFor } from '../../../src/config/edit/keyEdits';
import { valueAt } from '../../../src/config/keyValues';
import type { ConfigValue, KeyChange } from '../../../src/config/remedy';
import type { KeyPath } from '../../../src/config/yamlTree';
import { parseYamlTree } from '../../../src/config/yamlTree';
import { inSomeHand, randomKey, randomScalar, randomSection } from './randomText';
import type { RandomSection } from './randomText';

function pathsOf(value: ConfigValue, path: KeyPath = []): KeyPath[] {
  if (typeof value !== 'object') return [path];
  const entries: [string | number, ConfigValue][] = Array.isArray(value)
    ? (value as readonly ConfigValue[]).map((entry, index) => [index, entry])
    : Object.entries(value);
  return [...(path.length > 0 ? [path] : []), ...entries.flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

interface Case {
  readonly text: string;
  readonly value: RandomSection;
  readonly changes: readonly KeyChange[];
}

function cases(
  change: (paths: readonly KeyPath[], pick: <T>(values: readonly T[]) => T, fresh: () => ConfigValue, key: () => string) => KeyChange,
): fc.Arbitrary<Case> {
  return fc.tuple(randomSection, fc.gen()).map(([drawn, gen]) => {
    const oneOf = <T>(values: readonly T[]): T => values[gen(fc.nat, { max: values.length - 1 })] as T;
    const { text, value } = inSomeHand(drawn, oneOf);
    const count = oneOf([1, 1, 1, 2, 3]);
    const changes = Array.from({ length: count }, () =>
      change(
        pathsOf(value),
        oneOf,
        () => gen(() => fc.oneof({ weight: 4, arbitrary: randomScalar }, randomSection)),
        () => gen(() => randomKey),
      ),
    );
    return { text, value, changes };
  });
}

/** Refusing all would be safe, too: `mostRefused` is the share that may be, though no alias is in the way. */
function assertEdits(kind: fc.Arbitrary<Case>, mostRefused: number, keepsComments: (each: Case) => boolean, numRuns = 250): void {
  let asked = 0;
  let refused = 0;
  fc.assert(
    fc.property(kind, (each) => {
      const { text, value, changes } = each;
      expect(parseYamlTree(text).value).toEqual(value);
      const wanted = changedValue(value, changes);
      const edits = editsFor(text, changes);
      if (wanted === undefined) {
        expect(edits).toBeUndefined();
        return;
      }
      asked += 1;
      if (!edits) {
        // What an alias shares is left alone.
        if (!text.includes('shared: *')) refused += 1;
        return;
      }
      const after = applyEdits(text, edits);
      const tree = parseYamlTree(after);
      expect(tree.problems).toEqual([]);
      expect(sameValue(tree.value ?? {}, wanted)).toBe(true);
      // Line ends stay those of the text, a byte order mark stays where it is.
      if (text.includes('\r\n')) expect(after.replaceAll('\r\n', '')).not.toContain('\n');
      expect(after.startsWith('\uFEFF')).toBe(text.startsWith('\uFEFF'));
      if (keepsComments(each)) expect(sortedComments(after)).toEqual(sortedComments(text));
    }),
    { numRuns, seed: 5 },
  );
  expect(refused / asked).toBeLessThanOrEqual(mostRefused);
}

function sortedComments(text: string): readonly string[] {
  return commentsIn(text)
    .map(({ comment }) => comment)
    .toSorted();
}

describe('edits by keys, of any config in any hand', () => {
  it('set values', () => {
    const scalars = cases((paths, pick, fresh) => ({ kind: 'set', path: pick(paths), value: fresh() }));
    assertEdits(scalars, 0.01, () => false);
  });

  it('set values of keys that are there, and keep every comment', () => {
    const leaves = fc.tuple(randomSection, fc.gen()).map(([drawn, gen]): Case => {
      const oneOf = <T>(values: readonly T[]): T => values[gen(fc.nat, { max: values.length - 1 })] as T;
      const { text, value } = inSomeHand(drawn, oneOf);
      const all = pathsOf(value).filter(
        (path) => typeof path.reduce<ConfigValue>((part, key) => (part as Record<string, ConfigValue>)[key] ?? '', value) !== 'object',
      );
      const changes =
        all.length === 0 ? [] : [0, 1].map((): KeyChange => ({ kind: 'set', path: oneOf(all), value: gen(() => randomScalar) }));
      return { text, value, changes };
    });
    assertEdits(leaves, 0, () => true);
  });

  it('insert keys, and keep every comment', () => {
    const inserted = cases((paths, pick, fresh, key) => {
      const at = pick([[], ...paths]);
      return { kind: 'set', path: [...at, key(), ...pick([[], [], [key()], [key(), key()]])], value: fresh() };
    });
    assertEdits(inserted, 0.01, ({ value, changes }) => changes.every((change) => valueAt(value, change.path) === undefined));
  });

  it('remove keys', () => {
    assertEdits(
      cases((paths, pick) => ({ kind: 'remove', path: pick(paths) })),
      0.01,
      () => false,
    );
  });

  it('leave keys without their values, or put such keys in', () => {
    const emptied = cases((paths, pick, _, key) => ({
      kind: 'empty',
      path: pick([...paths.filter((path) => typeof path.at(-1) === 'string'), [...pick([[], ...paths]), key()]]),
    }));
    assertEdits(emptied, 0.01, () => false);
  });

  it('move keys, and keep every comment', () => {
    const moves = cases((paths, pick, _, key) => ({
      kind: 'move',
      path: pick(paths.filter((path) => typeof path.at(-1) === 'string')),
      to: [...pick([[], ...paths]), key()],
    }));
    assertEdits(moves, 0.01, () => true);
  });
});
