import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { OwnAnalysis } from '../../language/analysis';
import { Measurements } from '../../runs/measurements';
import type { RunSummary } from '../../runs/runIndex';
import { estimate, type Estimate, type Measurement } from '../../runs/throughput';
import { Setting } from '../contributions';
import { runsFolderFor } from '../runs/runsFolders';
import type { RunStore } from '../runs/runStore';
import { setting } from '../settings';
import { foldersOnDisk } from '../workspaceFolders';

/**
 * How long trainings would take on this machine, by what was measured here: runs of the workspace, and *Measure This Machine*. Read when a
 * lens first asks, and anew after runs have changed.
 */
export class MachineSpeed implements vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<void>();
  private readonly measurements = new Measurements();
  private readonly known = new Map<string, readonly Measurement[]>();
  /** Folders that are being read, and whether they have changed since that began. */
  private readonly reading = new Map<string, { changed: boolean }>();
  private readonly subscription: vscode.Disposable;

  /** Fires when another time may be told than before. */
  readonly onDidChange = this.emitter.event;

  constructor(
    private readonly store: RunStore,
    private readonly reportError: (error: unknown) => void,
  ) {
    this.subscription = store.onDidChange(() => this.refresh());
  }

  /** Undefined where nothing like it was measured yet, or while that is read. */
  estimate({ file, loaded: { experiment }, count }: Pick<OwnAnalysis, 'file' | 'loaded' | 'count'>): Estimate | undefined {
    if (experiment?.train === undefined || count === undefined) return undefined;
    const folder = runsFolderFor(dirname(file), foldersOnDisk(), setting(Setting.runsDirectory));
    const measured = this.known.get(folder);
    if (measured === undefined) void this.read(folder);
    return measured && estimate(experiment, count, measured);
  }

  /** Something was measured. */
  refresh(): void {
    for (const folder of this.known.keys()) void this.read(folder);
  }

  private async read(folder: string): Promise<void> {
    const already = this.reading.get(folder);
    if (already) {
      already.changed = true;
      return;
    }
    const reading = { changed: false };
    this.reading.set(folder, reading);
    try {
      do {
        reading.changed = false;
        this.take(folder, await this.measurements.read(folder, this.runsIn(folder)));
      } while (reading.changed);
    } catch (error) {
      this.reportError(error);
    } finally {
      this.reading.delete(folder);
    }
  }

  private runsIn(folder: string): readonly RunSummary[] {
    return this.store.groups.find(({ runsDirectory }) => runsDirectory === folder)?.runs ?? [];
  }

  private take(folder: string, measured: readonly Measurement[]): void {
    const before = this.known.get(folder) ?? [];
    this.known.set(folder, measured);
    if (JSON.stringify(before) !== JSON.stringify(measured)) this.emitter.fire();
  }

  dispose(): void {
    this.subscription.dispose();
    this.emitter.dispose();
  }
}
