import { posix, win32 } from 'node:path';

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
 * The Nodes that may run the worker, best first. A setting that names a Node is the user's word: where it fails, the others are not better guesses but still
 * better than no run, and run.json says which was taken and why.
 */
export function launchLadder(facts: LadderFacts): readonly Rung[] {
  const { nodePath, execPath, isElectron } = facts;
  const onPath = findNodeOnPath(facts);
  const rungs: Rung[] = [
    ...(nodePath === '' ? [] : [{ rung: 'setting' as const, executable: nodePath, environment: {} }]),
    ...(onPath === undefined ? [] : [{ rung: 'path' as const, executable: onPath, environment: {} }]),
    { rung: 'editor' as const, executable: execPath, environment: isElectron ? { ELECTRON_RUN_AS_NODE: '1' } : {} },
  ];
  return rungs.filter(({ executable }, index) => rungs.findIndex((other) => other.executable === executable) === index);
}

function findNodeOnPath({ platform, environment, exists }: LadderFacts): string | undefined {
  const { join, isAbsolute, delimiter } = platform === 'win32' ? win32 : posix;
  // Windows spells it Path, and a copy of its environment is case-sensitive.
  const path = Object.entries(environment).find(([name]) => (platform === 'win32' ? name.toUpperCase() === 'PATH' : name === 'PATH'))?.[1];
  return (path ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, platform === 'win32' ? 'node.exe' : 'node'))
    .find(exists);
}

/**
 * What a worker's process inherits: nothing that belongs to the editor, and no telemetry of the runtime. Where the C library is glibc (2.35 or newer), it
 * asks the kernel for large pages of memory: reading rows here and there in tables of a gigabyte otherwise waits for page tables.
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
