/** What keeps a reproduction from running, in a sentence or two that the user can act on. */
export class Problem extends Error {
  override readonly name = 'Problem';
}

/** Ctrl-C or a kill signal: the same command goes on later. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
