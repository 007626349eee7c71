import { programOnPath } from '../engine/programOnPath';

/** One way to run a worker. */
export interface Rung {
  readonly rung: 'setting' | 'path' | 'editor';
  readonly executable: string;
  /** Needed besides the usual environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface LadderFacts {
  readonly platform: NodeJS.Platform;
  /** The setting moeLab.nodePath; empty for none. */
  readonly nodePath: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The executable of this process: the editor's, a remote server's Node, or the Node of the command line. */
  readonly execPath: string;
  readonly isElectron: boolean;
  readonly exists: (file: string) => boolean;
}

/**
 * The Nodes that may run the worker, best first. A setting that names a Node is the user's word: where it fails, the others are not better
 * guesses but still better than no run, and run.json says which was taken and why.
 */
export function launchLadder(facts: LadderFacts): readonly Rung[] {
  const { nodePath, execPath, isElectron } = facts;
  const onPath = programOnPath('node', facts);
  const rungs: Rung[] = [
    ...(nodePath === '' ? [] : [{ rung: 'setting' as const, executable: nodePath, environment: {} }]),
    ...(onPath === undefined ? [] : [{ rung: 'path' as const, executable: onPath, environment: {} }]),
    { rung: 'editor' as const, executable: execPath, environment: isElectron ? { ELECTRON_RUN_AS_NODE: '1' } : {} },
  ];
  return rungs.filter(({ executable }, index) => rungs.findIndex((other) => other.executable === executable) === index);
}

/**
 * What a worker's process inherits: nothing that belongs to the editor, and no telemetry of the runtime. Where the C library is glibc (2.35
 * or newer), it asks the kernel for large pages of memory: reading rows here and there in tables of a gigabyte otherwise waits for page
 * tables.
 */
export function workerEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const kept = Object.entries(inherited).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(NODE_OPTIONS$|VSCODE_|ELECTRON_)/i.test(entry[0]),
  );
  return { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', ...Object.fromEntries(kept), ORT_DISABLE_TELEMETRY: '1', ...more };
}
