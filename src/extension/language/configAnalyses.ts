import * as vscode from 'vscode';
import { ruleSeverities, type RuleSeverities, type RuleSeverity } from '../../config/lintSchema';
import type { Steps } from '../../config/steps';
import type { AnalysisEnvironment, ConfigAnalysis, OwnAnalysis } from '../../language/analysis';
import { AnalysisStore, type AnalysisSources } from '../../language/analysisStore';
import { Setting } from '../contributions';
import { setting } from '../settings';
import { readOpenOrDisk } from './configDocuments';
import { DependencyWatchers } from './dependencyWatchers';
import type { MachineMemory } from './machineMemory';
import type { OverlapChecks } from './overlapChecks';

/** Configs, by file, whose analysis has to be asked for again. */
export interface OutdatedConfigs {
  readonly configs: readonly string[];
  /** The edited document, where an edit is the cause: who shows something of it asks again by himself. */
  readonly edited: string | undefined;
}

/**
 * The analyses of configs, for VS Code: an edit of any file, saved or not, outdates what read it, and so does a change on the disk of a
 * file that some config extends or is held against.
 */
export class ConfigAnalyses implements vscode.Disposable {
  private readonly outdated = new vscode.EventEmitter<OutdatedConfigs>();
  private readonly others = new vscode.EventEmitter<readonly string[]>();
  private readonly watchers = new DependencyWatchers((file) => this.outdate(file));
  private readonly subscriptions: vscode.Disposable[];
  /** What analyses are made of. */
  readonly sources: AnalysisSources = { readText: readOpenOrDisk, environment: (file) => this.environment(file) };
  private readonly store = new AnalysisStore(this.sources);

  /** Fires for everything that is outdated, an edited document included. */
  readonly onDidChange = this.outdated.event;
  /** Fires when what an analysis depends on, other than its own document, has changed: with the configs that depend on it. */
  readonly onDidOutdate = this.others.event;

  constructor(
    private readonly overlaps: OverlapChecks,
    private readonly memory: MachineMemory,
  ) {
    const edited = ({ uri }: vscode.TextDocument): void => this.outdate(uri.fsPath, uri.fsPath);
    this.subscriptions = [
      vscode.workspace.onDidChangeTextDocument(({ document }) => edited(document)),
      vscode.workspace.onDidOpenTextDocument(edited),
      // Unsaved text is gone: the file on disk holds again.
      vscode.workspace.onDidCloseTextDocument(edited),
      overlaps.onDidLook(({ file }) => {
        this.store.forget(file);
        this.tell({ configs: [file], edited: undefined });
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(Setting.rules)) this.outdateAll();
      }),
      memory.onDidChange(() => this.outdateAll()),
    ];
  }

  get({ uri }: vscode.TextDocument): ConfigAnalysis {
    return this.of(uri.fsPath);
  }

  /** Of a config that need not be open. */
  of(file: string): ConfigAnalysis {
    const analysis = this.store.get(file);
    this.watchers.update(file, analysis.files);
    return analysis;
  }

  /** What is known of a config without the members of its sweep: what is shown at every keystroke does not wait for them. */
  own({ uri }: vscode.TextDocument): OwnAnalysis {
    const { fsPath } = uri;
    const own = this.store.own(fsPath);
    this.watchers.update(fsPath, own.files);
    return own;
  }

  /** The same as `of`, with breaks. */
  *steps(file: string): Steps<ConfigAnalysis> {
    const analysis = yield* this.store.steps(file);
    this.watchers.update(file, analysis.files);
    return analysis;
  }

  /** Nobody looks at a config any more. */
  forget(file: string): void {
    this.store.forget(file);
    this.watchers.remove(file);
  }

  /** A file says something else now, on the disk or, where it is `edited`, in its editor. */
  outdate(file: string, edited?: string): void {
    this.tell({ configs: this.store.outdate(file), edited });
  }

  private outdateAll(): void {
    this.tell({ configs: this.store.outdateAll(), edited: undefined });
  }

  private tell(event: OutdatedConfigs): void {
    if (event.configs.length > 0) this.outdated.fire(event);
    const others = event.configs.filter((config) => config !== event.edited);
    if (others.length > 0) this.others.fire(others);
  }

  private environment(file: string): AnalysisEnvironment {
    return {
      severities: severitiesOf(setting(Setting.rules, vscode.Uri.file(file))),
      memory: this.memory.of(file),
      overlaps: (loaded) => this.overlaps.of(loaded),
    };
  }

  dispose(): void {
    vscode.Disposable.from(this.outdated, this.others, this.watchers, ...this.subscriptions).dispose();
  }
}

/** What of the setting can be understood: it may be edited by hand. */
function severitiesOf(value: Readonly<Record<string, unknown>>): RuleSeverities {
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, RuleSeverity] => ruleSeverities.some((known) => known === entry[1])),
  );
}
