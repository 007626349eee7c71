import type { KeyPath } from './keyPath';
import type { TextEdit } from './textPlace';

/** What can stand behind a key. */
export type ConfigValue = string | number | boolean | readonly ConfigValue[] | { readonly [key: string]: ConfigValue };

/** A change of a config by keys, whatever its text looks like. */
export type KeyChange =
  /** Sections that are not there are made. */
  | { readonly kind: 'set'; readonly path: KeyPath; readonly value: ConfigValue }
  /** With what stands below it. A section that is left empty goes too. */
  | { readonly kind: 'remove'; readonly path: KeyPath }
  /** The key is stated without a value, as what it takes away is said by a base. */
  | { readonly kind: 'empty'; readonly path: KeyPath }
  /** The value goes along as it is written, with its comments. */
  | { readonly kind: 'move'; readonly path: KeyPath; readonly to: KeyPath };

/** A way to mend a finding, before it is known what text it changes. */
export interface Remedy {
  /** What it does, as a menu says it: `Set top_k to 8`. */
  readonly title: string;
  readonly changes: readonly KeyChange[];
  /** In place of changes, where what is wrong is no key: a tab, a key that is there twice. */
  readonly edits?: readonly TextEdit[];
  /** Whether it is the only sensible one. */
  readonly sure?: boolean;
}
