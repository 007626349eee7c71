import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { MetricsLine, RunDescription, RunStatus } from '../../../src/runs/format';
import { endProcess, isAlive } from './processes';

/** A run directory as any other tool would read it: only the files, none of the product's code. */
export class RunOnDisk {
  constructor(readonly directory: string) {}

  get status(): RunStatus {
    return JSON.parse(readFileSync(join(this.directory, 'status.json'), 'utf8')) as RunStatus;
  }

  get description(): RunDescription {
    return JSON.parse(readFileSync(join(this.directory, 'run.json'), 'utf8')) as RunDescription;
  }

  /**
   * What holds of metrics.jsonl: after a line `{"rewind":N}` a resumed run repeats the steps after N. Complete lines only: the last one may
   * be half written.
   */
  get metrics(): readonly MetricsLine[] {
    const text = readFileSync(join(this.directory, 'metrics.jsonl'), 'utf8');
    const lines = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '');
    let held: MetricsLine[] = [];
    for (const line of lines.map((text) => JSON.parse(text) as Partial<MetricsLine> & { readonly rewind?: number })) {
      const { rewind } = line;
      if (rewind !== undefined) held = held.filter(({ step }) => step <= rewind);
      else if (line.step !== undefined) held.push(line as MetricsLine);
    }
    return held;
  }

  /** The steps whose training loss is logged, in the order of the file. */
  get trainedSteps(): readonly number[] {
    return this.metrics.filter(({ train }) => train !== undefined).map(({ step }) => step);
  }

  /** Steps of the checkpoints that are complete, ascending. */
  get checkpoints(): readonly number[] {
    const folder = join(this.directory, 'checkpoints');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  get log(): string {
    const file = join(this.directory, 'worker.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
}

export function runsFolder(workspace: string): string {
  return join(workspace, '.moe-lab', 'runs');
}

/** Every run of a workspace, oldest first. */
export function runsIn(workspace: string): readonly RunOnDisk[] {
  const folder = runsFolder(workspace);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .filter((directory) => existsSync(join(directory, 'status.json')))
    .map((directory) => new RunOnDisk(directory));
}

/** Workers leave the server's process group on purpose; those that a suite left behind are ended by the pid in their run directory. */
export async function endWorkers(workspace: string): Promise<void> {
  for (const run of runsIn(workspace)) {
    const { pid, state } = run.status;
    const mayLive = state === 'running' || state === 'starting' || state === 'stopping';
    if (mayLive && isAlive(pid)) await endProcess(pid);
  }
}

/** Steps of one reading, since a run that trains has more at the next: 1, 2, 3, ... without a gap and without a step twice. */
export function expectContiguous(steps: readonly number[]): void {
  expect(steps.length).toBeGreaterThan(0);
  expect(steps.findIndex((step, index) => step !== index + 1)).toBe(-1);
}
