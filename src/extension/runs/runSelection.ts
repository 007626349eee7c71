import * as vscode from 'vscode';

/**
 * Which runs the chart shows. One owner of that fact: the run explorer's checkboxes write it, the dashboard reads it (and may toggle it
 * from its legend). A run is named by the absolute path of its run directory. Kept per workspace, so a reload shows the same runs.
 */
export interface RunSelection {
  /** Absolute paths of run directories, in the order in which they were chosen. A directory may meanwhile be gone. */
  readonly selected: readonly string[];
  /** Fires with the new selection, once per change. */
  readonly onDidChange: vscode.Event<readonly string[]>;
  has(run: string): boolean;
  toggle(run: string): void;
  /** Chooses (or, with `chosen` false, drops) several runs with one event. */
  set(runs: readonly string[], chosen: boolean): void;
}

const STORAGE_KEY = 'moeLab.selectedRuns';

export class StoredRunSelection implements RunSelection, vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<readonly string[]>();
  private current: readonly string[];

  readonly onDidChange = this.emitter.event;

  constructor(private readonly state: vscode.Memento) {
    this.current = state.get<string[]>(STORAGE_KEY, []);
  }

  get selected(): readonly string[] {
    return this.current;
  }

  has(run: string): boolean {
    return this.current.includes(run);
  }

  toggle(run: string): void {
    this.set([run], !this.has(run));
  }

  set(runs: readonly string[], chosen: boolean): void {
    const changed = runs.filter((run) => this.has(run) !== chosen);
    if (changed.length === 0) return;
    this.current = chosen ? [...this.current, ...new Set(changed)] : this.current.filter((run) => !changed.includes(run));
    void this.state.update(STORAGE_KEY, this.current);
    this.emitter.fire(this.current);
  }

  dispose(): void {
    this.emitter.dispose();
  }
}
