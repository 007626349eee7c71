import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { readGpus, type KnownGpu } from '../../runs/machineFile';
import { memoryLimit } from '../../worker/machineRoom';
import { largestGpu, statedGpu, type MachineMemory as Memory } from '../../worker/memoryRooms';
import { Setting } from '../contributions';
import { runsFolderFor } from '../runs/runsFolders';
import { setting } from '../settings';
import { foldersOnDisk } from '../workspaceFolders';

const GIB = 2 ** 30;

/**
 * The memory that trainings of configs are held against: this machine's, and that of the GPU that the setting states or that was found
 * here. No program is asked for it: `machine.json` is read, when first a config would be trained on a GPU and when something may have
 * changed it.
 */
export class MachineMemory implements vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<void>();
  private readonly host = memoryLimit(totalmem(), process.constrainedMemory());
  /** By runs folder; undefined where no GPU is known, or while that is read. */
  private readonly known = new Map<string, KnownGpu | undefined>();
  private reading: Promise<void> = Promise.resolve();
  private readonly subscriptions: vscode.Disposable[];

  /** Fires when there is another GPU than before. */
  readonly onDidChange = this.emitter.event;

  /** `mayChange`: fire when a `machine.json` may be another one. */
  constructor(mayChange: readonly vscode.Event<unknown>[]) {
    this.subscriptions = [
      ...mayChange.map((event) => event(() => this.refresh())),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(Setting.deviceMemory)) this.emitter.fire();
      }),
    ];
  }

  /** For the config in a file. Its `device` is looked up when it is asked for, which rules do of what would be trained on one. */
  of(file: string): Memory {
    const gpu = (): KnownGpu | undefined => this.gpu(file);
    return {
      host: this.host,
      get device() {
        return gpu();
      },
    };
  }

  private gpu(file: string): KnownGpu | undefined {
    const stated = setting(Setting.deviceMemory, vscode.Uri.file(file));
    if (stated > 0) return statedGpu(stated * GIB);
    const folder = runsFolderFor(dirname(file), foldersOnDisk(), setting(Setting.runsDirectory));
    if (!this.known.has(folder)) {
      this.known.set(folder, undefined);
      this.read(folder);
    }
    return this.known.get(folder);
  }

  private refresh(): void {
    for (const folder of this.known.keys()) this.read(folder);
  }

  /** One after the other: an older reading never takes a newer one's place. */
  private read(folder: string): void {
    this.reading = this.reading.then(async () => {
      const gpu = largestGpu((await readGpus(folder)) ?? []);
      const before = this.known.get(folder);
      this.known.set(folder, gpu);
      if (gpu?.name !== before?.name || gpu?.bytes !== before?.bytes) this.emitter.fire();
    });
  }

  dispose(): void {
    vscode.Disposable.from(this.emitter, ...this.subscriptions).dispose();
  }
}
