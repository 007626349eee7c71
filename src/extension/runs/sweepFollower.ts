import type * as vscode from 'vscode';
import type { RunSelection } from './runSelection';
import type { RunStore } from './runStore';
import { collectFollowers } from './collectFollowers';

const STORAGE_KEY = 'moeLab.followedRuns';

/**
 * Shows the members of a sweep in the chart as they are started, by whichever process: a run that follows one which is shown is shown, too.
 * Once for each run, so that one which the user has taken out stays out; kept per workspace, so that those which were started while no
 * window was open come in.
 */
export class SweepFollower implements vscode.Disposable {
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly store: RunStore,
    private readonly selection: RunSelection,
    private readonly state: vscode.Memento,
  ) {
    this.subscription = store.onDidChange(() => this.look());
  }

  private look(): void {
    const known = this.state.get<string[]>(STORAGE_KEY, []);
    const { followers, considered } = collectFollowers(this.store.runs, this.selection.selected, known);
    if (considered.length === known.length && considered.every((directory) => known.includes(directory))) return;
    void this.state.update(STORAGE_KEY, considered);
    this.selection.set(followers, true);
  }

  dispose(): void {
    this.subscription.dispose();
  }
}
