import * as vscode from 'vscode';
import type { ObservedState } from '../../runs/liveness';
import type { RunSummary } from '../../runs/runIndex';
import { LaunchError } from '../../worker/runFailure';
import { Command } from '../contributions';
import { notificationText } from '../notificationText';
import { collectFailures, failureMessage } from './collectFailures';
import type { RunStore } from './runStore';
import { collectSweepNews, type SweepNews } from './sweepNews';

const lostActions: Readonly<Record<string, Command>> = { 'Resume Run': Command.resumeRun, 'Show Log': Command.showRunLog };
const failedActions: Readonly<Record<string, Command>> = {
  'Branch with This Fix': Command.branchWithFix,
  'Show Log': Command.showRunLog,
  'Open Dashboard': Command.openDashboard,
};

/** Says once that a run has failed while this window was watching it, or that its sweep does not go on. */
export class FailureNotices implements vscode.Disposable {
  private seen = new Map<string, ObservedState>();
  /** Undefined until the runs have been looked at: what was so before is no news. */
  private seenNews: ReadonlySet<string> | undefined;
  private launches = 0;
  /** Runs that were launched here and are not listed yet: who launched them has told what became of the members before them. */
  private readonly launched = new Set<string>();
  private readonly subscription: vscode.Disposable;

  constructor(private readonly store: RunStore) {
    this.subscription = store.onDidChange(() => this.look());
  }

  /**
   * Runs a launch that gives a run directory. Should the run fail before it trains, whoever launches it says so; from then on failures
   * are noticed here, also one that comes before the run was first looked at.
   */
  async around(launch: () => Promise<string>): Promise<string> {
    this.launches += 1;
    try {
      const directory = await launch();
      this.seen.set(directory, 'running');
      this.launched.add(directory);
      return directory;
    } catch (error) {
      if (error instanceof LaunchError && error.run !== undefined) this.launched.add(error.run);
      throw error;
    } finally {
      this.launches -= 1;
      this.look();
    }
  }

  private look(): void {
    const failures = collectFailures(this.seen, this.store.runs).filter((run) => !this.isLaunching(run));
    this.seen = new Map(this.store.runs.map(({ directory, state }) => [directory, state]));
    failures.forEach(show);
    const news = collectSweepNews(this.store.runs);
    for (const [key, one] of news) {
      const isNew = this.seenNews !== undefined && !this.seenNews.has(key);
      if (isNew && this.launches === 0 && !this.launched.has(one.directory)) showNews(one);
    }
    this.seenNews = new Set(news.keys());
    for (const { directory } of this.store.runs) this.launched.delete(directory);
  }

  private isLaunching({ directory }: RunSummary): boolean {
    return this.launches > 0 && this.seen.get(directory) === 'starting';
  }

  dispose(): void {
    this.subscription.dispose();
  }
}

function show(run: RunSummary): void {
  const actions = run.state === 'lost' ? lostActions : failedActions;
  void vscode.window.showErrorMessage(notificationText(failureMessage(run)), ...Object.keys(actions)).then((chosen) => {
    const command = chosen === undefined ? undefined : actions[chosen];
    if (command) void vscode.commands.executeCommand(command, { directory: run.directory });
  });
}

const newsActions = { 'Resume Run': Command.resumeRun, 'Stop Sweep': Command.stopSweep } as const;

function showNews({ directory, text, resumable }: SweepNews): void {
  const actions: Readonly<Record<string, Command>> = resumable ? newsActions : {};
  void vscode.window.showWarningMessage(notificationText(text), ...Object.keys(actions)).then((chosen) => {
    const command = chosen === undefined ? undefined : actions[chosen];
    if (command) void vscode.commands.executeCommand(command, { directory });
  });
}
