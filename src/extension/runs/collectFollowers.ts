import { basename, dirname, join } from 'node:path';
import type { RunSummary } from '../../runs/runIndex';

/**
 * The runs that are to be shown since they follow a shown one, oldest first, and all that have been considered: `known` and the new ones,
 * without those that are gone. A run of a sweep names in `follows` the run that it waited for.
 */
export function collectFollowers(
  runs: readonly Pick<RunSummary, 'directory' | 'createdAt' | 'follows'>[],
  selected: readonly string[],
  known: readonly string[],
): { readonly followers: readonly string[]; readonly considered: readonly string[] } {
  const waited = runs.flatMap(({ directory, createdAt, follows }) => (follows === null ? [] : [{ directory, createdAt, follows }]));
  const shown = new Set(selected);
  const followers: string[] = [];
  // One may follow another that is new as well.
  for (const { directory, follows } of waited.toSorted((one, other) => (one.createdAt < other.createdAt ? -1 : 1))) {
    if (known.includes(directory) || !shown.has(join(dirname(directory), basename(follows)))) continue;
    if (shown.has(directory)) continue;
    shown.add(directory);
    followers.push(directory);
  }
  return { followers, considered: waited.map(({ directory }) => directory).toSorted() };
}
