import type { ConfigFinding } from './configFile';
import type { KeyPath } from './keyPath';
import type { Remedy } from './remedy';

/** Where a finding wants to be shown: at a key, or at its value. */
export interface Spot {
  readonly path: KeyPath;
  readonly part: 'key' | 'value';
}

/** A finding about keys, before it is known which file states them. */
export interface PathFinding {
  /** Best first. It is shown at the first one that the file itself states, else the first that a base states. */
  readonly spots: readonly Spot[];
  readonly severity: ConfigFinding['severity'];
  readonly code: string;
  readonly message: string;
  readonly remedies?: readonly Remedy[];
  /** Whether it is about members of the sweep, and not about the config as it is without them. */
  readonly ofMembers?: true;
}

export function atKey(...path: KeyPath): Spot {
  return { path, part: 'key' };
}

export function atValue(...path: KeyPath): Spot {
  return { path, part: 'value' };
}
