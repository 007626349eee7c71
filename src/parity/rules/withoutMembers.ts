import type { SweepMember } from '../../config/configFile';
import type { KeyPath } from '../../config/keyPath';
import type { Remedy } from '../../config/remedy';

/**
 * Takes members out of a sweep that keeps the others. None where nobody would be left, nor for combinations of several keys where those
 * that go have no value in common that the others lack.
 */
export function withoutMembers(leaving: readonly SweepMember[], all: readonly SweepMember[]): readonly Remedy[] {
  const places = leaving.length < all.length ? placesOf(leaving, all) : undefined;
  if (places === undefined) return [];
  const [only] = leaving;
  return [
    {
      title:
        leaving.length === 1 && only !== undefined
          ? `Remove ${only.name} from the sweep`
          : `Remove ${leaving.length} members from the sweep`,
      // From the last on: what is removed moves what stands behind it.
      changes: places.toReversed().map((path) => ({ kind: 'remove', path })),
    },
  ];
}

/** In the order of the text. */
function placesOf(leaving: readonly SweepMember[], all: readonly SweepMember[]): readonly KeyPath[] | undefined {
  if (leaving.every(({ place }) => typeof place[1] === 'number')) return leaving.map(({ place }) => place);
  const keys = Object.keys(leaving[0]?.places ?? {});
  return keys.map((key) => placesOfValues(key, leaving, all)).find((places) => places !== undefined);
}

/** The values of a key that all who leave have, and nobody else. */
function placesOfValues(key: string, leaving: readonly SweepMember[], all: readonly SweepMember[]): readonly KeyPath[] | undefined {
  const valueOf = ({ places }: SweepMember): string => JSON.stringify(places[key]);
  const values = new Set(leaving.map(valueOf));
  if (all.filter((member) => values.has(valueOf(member))).length > leaving.length) return undefined;
  return [...values].map((value) => leaving.find((member) => valueOf(member) === value)?.places[key] ?? []);
}
