import { watch, type FSWatcher } from 'node:fs';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { isLive } from '../../runs/liveness';
import { machineFile } from '../../runs/machineFile';
import { RunIndex, type RunSummary } from '../../runs/runIndex';
import type { RunGroup } from './runItems';

/** How often run directories are looked at while something is training. Nothing is polled otherwise. */
const POLL_MILLISECONDS = 1_000;
/** Several directory events in a row are one change. */
const SETTLE_MILLISECONDS = 100;

export interface RunsFolder {
  readonly label: string;
  readonly runsDirectory: string;
}

/**
 * The runs of all workspace folders, as last read. It learns of new and deleted run directories from the system (only the runs folders
 * are watched, not what is in them), and polls only while a run is live or is about to start the next of its sweep.
 */
export class RunStore implements vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<readonly RunGroup[]>();
  private readonly machineEmitter = new vscode.EventEmitter<void>();
  private readonly indices = new Map<string, RunIndex>();
  private readonly watchers = new Map<string, FSWatcher>();
  private timer: NodeJS.Timeout | undefined;
  private current: readonly RunGroup[] = [];
  private refreshing: Promise<void> | undefined;
  private again = false;
  private disposed = false;

  /** Fires when a run appears, changes or goes. */
  readonly onDidChange = this.emitter.event;
  /** Fires when what is known of a machine, beside its runs, may have changed. */
  readonly onDidChangeMachine = this.machineEmitter.event;

  constructor(
    private readonly folders: () => readonly RunsFolder[],
    private readonly reportError: (error: unknown) => void,
  ) {}

  get groups(): readonly RunGroup[] {
    return this.current;
  }

  get runs(): readonly RunSummary[] {
    return this.current.flatMap((group) => group.runs);
  }

  find(directory: string): RunSummary | undefined {
    return this.runs.find((run) => run.directory === directory);
  }

  /** Resolves when what is on disk now has been read. One refresh runs at a time; more of them become one more. */
  async refresh(): Promise<void> {
    if (this.refreshing) {
      this.again = true;
      return this.refreshing;
    }
    this.refreshing = this.readUntilQuiet().finally(() => {
      this.refreshing = undefined;
      this.schedule();
    });
    return this.refreshing;
  }

  private async readUntilQuiet(): Promise<void> {
    do {
      this.again = false;
      try {
        const groups = await Promise.all(this.folders().map((folder) => this.readFolder(folder)));
        if (this.disposed) return;
        this.forgetExcept(groups.map((group) => group.runsDirectory));
        const changed = JSON.stringify(groups) !== JSON.stringify(this.current);
        this.current = groups;
        if (changed) this.emitter.fire(groups);
      } catch (error) {
        this.reportError(error);
      }
    } while (this.again && !this.disposed);
  }

  private async readFolder({ label, runsDirectory }: RunsFolder): Promise<RunGroup> {
    let index = this.indices.get(runsDirectory);
    if (index === undefined) {
      index = new RunIndex(runsDirectory);
      this.indices.set(runsDirectory, index);
    }
    const runs = await index.refresh();
    this.watchFolder(runsDirectory);
    return { label, runsDirectory, runs };
  }

  private watchFolder(runsDirectory: string): void {
    if (this.disposed || this.watchers.has(runsDirectory)) return;
    try {
      const watcher = watch(runsDirectory, { persistent: false }, (_, name) => {
        this.schedule(SETTLE_MILLISECONDS);
        // The system need not say what has changed.
        if (name === null || name === basename(machineFile(runsDirectory))) this.machineEmitter.fire();
      });
      const stop = (): void => {
        watcher.close();
        this.watchers.delete(runsDirectory);
      };
      watcher.on('error', stop);
      this.watchers.set(runsDirectory, watcher);
    } catch {
      // No such folder yet: the next refresh tries again.
    }
  }

  private forgetExcept(runsDirectories: readonly string[]): void {
    for (const [known, watcher] of this.watchers) {
      if (runsDirectories.includes(known)) continue;
      watcher.close();
      this.watchers.delete(known);
      this.indices.delete(known);
    }
  }

  private schedule(milliseconds?: number): void {
    if (this.disposed) return;
    const live = this.runs.some((run) => isLive(run.state) || run.sweep?.goesOn === true);
    const wait = milliseconds ?? (live ? POLL_MILLISECONDS : undefined);
    if (wait === undefined) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), wait);
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
    this.emitter.dispose();
    this.machineEmitter.dispose();
  }
}
