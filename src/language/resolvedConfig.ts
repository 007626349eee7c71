import { resolve } from 'node:path';
import { Document, isScalar, visit } from 'yaml';
import { dotted } from '../config/describeKey';
import { isMapping } from '../config/mapping';
import type { Experiment } from '../config/schema';
import type { KeyPath } from '../config/yamlTree';

/** What a config is called and held against, and how strict its rules are, make no other experiment. */
const notCompared = ['name', 'extends', 'parity', 'sweep', 'lint'];

/**
 * All that an experiment is: every default filled in, keys in the order of the schema whatever file says them, text by its absolute path.
 * `folder`: where its relative paths start.
 */
export function resolvedValue(experiment: Experiment, folder: string): unknown {
  const { data } = experiment;
  const absolute = (files: readonly string[]): readonly string[] => files.map((file) => resolve(folder, file).replaceAll('\\', '/'));
  const resolved = {
    // Where the schema has it: among its keys.
    ...experiment,
    ...(data === undefined
      ? {}
      : {
          data: {
            ...data,
            train: absolute(data.train),
            validation: Object.fromEntries(
              Object.entries(data.validation)
                .map(([set, files]): [string, readonly string[]] => [set, absolute(files)])
                .sort(([one], [other]) => (one < other ? -1 : 1)),
            ),
          },
        }),
  };
  const compared = Object.fromEntries(Object.entries(resolved).filter(([key]) => !notCompared.includes(key)));
  // Without what is undefined, which YAML would write as null.
  return JSON.parse(JSON.stringify(compared));
}

/** The same as YAML with a key in each line, so that two of them differ line by line. */
export function resolvedText(experiment: Experiment, folder: string): string {
  const document = new Document(resolvedValue(experiment, folder));
  visit(document, {
    Seq(_, list) {
      list.flow = list.items.every((item) => isScalar(item) && typeof item.value === 'number');
    },
    Map(_, mapping) {
      mapping.flow = mapping.items.length === 0;
    },
  });
  return document.toString({ lineWidth: 0 });
}

export interface KeyDifference {
  readonly path: KeyPath;
  /** The same, dotted. */
  readonly key: string;
  /** Undefined where that one has no such key. */
  readonly one: unknown;
  readonly other: unknown;
}

/** Every key with another value; a section that only one of them has, key by key. Lists are one value. */
export function keyDifferences(one: unknown, other: unknown, path: KeyPath = []): readonly KeyDifference[] {
  if (isMapping(one) || isMapping(other)) {
    const [left, right] = [isMapping(one) ? one : {}, isMapping(other) ? other : {}];
    const keys = [...Object.keys(left), ...Object.keys(right).filter((key) => !Object.hasOwn(left, key))];
    const of = (mapping: Readonly<Record<string, unknown>>, key: string): unknown =>
      Object.hasOwn(mapping, key) ? mapping[key] : undefined;
    return keys.flatMap((key) => keyDifferences(of(left, key), of(right, key), [...path, key]));
  }
  return JSON.stringify(one) === JSON.stringify(other) ? [] : [{ path, key: dotted(path), one, other }];
}
