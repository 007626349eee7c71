import type * as vscode from 'vscode';

/**
 * Everything package.json contributes, as typed names. A test holds package.json against these tables, and the tables of handlers are
 * total over `Command`, so a command that is contributed but not registered (or the reverse) does not pass.
 */
export const Command = {
  createSample: 'moeLab.createSample',
  newConfig: 'moeLab.newConfig',
  newFromPreset: 'moeLab.newFromPreset',
  startRun: 'moeLab.startRun',
  stopRun: 'moeLab.stopRun',
  stopSweep: 'moeLab.stopSweep',
  resumeRun: 'moeLab.resumeRun',
  openDashboard: 'moeLab.openDashboard',
  refreshRuns: 'moeLab.refreshRuns',
  revealRunFolder: 'moeLab.revealRunFolder',
  deleteRun: 'moeLab.deleteRun',
  copyRunPath: 'moeLab.copyRunPath',
  showRunLog: 'moeLab.showRunLog',
  createTwin: 'moeLab.createTwin',
  createParityTwin: 'moeLab.createParityTwin',
  scaleToBudget: 'moeLab.scaleToBudget',
  measureMachine: 'moeLab.measureMachine',
  compareConfigs: 'moeLab.compareConfigs',
  branchWithFix: 'moeLab.branchWithFix',
  openConfigEditor: 'moeLab.openConfigEditor',
  debugInformation: 'moeLab.debugInformation',
} as const;
export type Command = (typeof Command)[keyof typeof Command];

/** Commands that only other parts of the extension call, with arguments a person could not give: registered, not contributed. */
export const InternalCommand = {
  showCount: 'moeLab.showCount',
  showRule: 'moeLab.showRule',
  chooseSizes: 'moeLab.chooseSizes',
} as const;
export type InternalCommand = (typeof InternalCommand)[keyof typeof InternalCommand];

/** A run by its directory: what the run explorer's items are, too. */
export interface RunTarget {
  /** Absolute path of the run directory. */
  readonly directory: string;
}

/** What each command may be given by menus, lenses and buttons. From the palette and keyboard every argument is absent. */
export interface CommandArguments {
  [Command.createSample]: [];
  [Command.newConfig]: [];
  [Command.newFromPreset]: [];
  [Command.startRun]: [config?: vscode.Uri];
  [Command.stopRun]: [run?: RunTarget];
  [Command.stopSweep]: [run?: RunTarget];
  [Command.resumeRun]: [run?: RunTarget];
  [Command.openDashboard]: [run?: RunTarget];
  [Command.refreshRuns]: [];
  [Command.revealRunFolder]: [run?: RunTarget];
  /** The keyboard shortcut says `selected`: the run under the run explorer's cursor. */
  [Command.deleteRun]: [run?: RunTarget | 'selected'];
  [Command.copyRunPath]: [run?: RunTarget];
  [Command.showRunLog]: [run?: RunTarget];
  [Command.createTwin]: [subject?: vscode.Uri | RunTarget];
  [Command.createParityTwin]: [config?: vscode.Uri];
  [Command.scaleToBudget]: [config?: vscode.Uri];
  [Command.measureMachine]: [config?: vscode.Uri];
  /** What the menu was opened on, and all that is selected with it. */
  [Command.compareConfigs]: [one?: vscode.Uri | RunTarget, selected?: readonly (vscode.Uri | RunTarget)[]];
  [Command.branchWithFix]: [run?: RunTarget];
  [Command.openConfigEditor]: [config?: vscode.Uri];
  [Command.debugInformation]: [];
  [InternalCommand.showCount]: [config: vscode.Uri];
  /** By its code. */
  [InternalCommand.showRule]: [rule?: string];
  [InternalCommand.chooseSizes]: [config: vscode.Uri];
}

/** What runs for each command; total, so a new command without a handler does not compile. */
export type CommandHandlers = { readonly [C in Command | InternalCommand]: (...args: CommandArguments[C]) => unknown };

export const View = { runs: 'moeLab.runs' } as const;

/** Webview panel types, which `onWebviewPanel:` restores after a reload. */
export const Panel = { dashboard: 'moeLab.dashboard' } as const;

/** Editors of documents that are more than text, beside the text editor. */
export const CustomEditor = { config: 'moeLab.configEditor' } as const;

export const Setting = {
  runsDirectory: 'moeLab.runsDirectory',
  nodePath: 'moeLab.nodePath',
  deviceMemory: 'moeLab.deviceMemory',
  codeLens: 'moeLab.codeLens',
  checkWorkspace: 'moeLab.checkWorkspace',
  rules: 'moeLab.rules',
  inlayHints: 'moeLab.inlayHints',
  openDashboardOnStart: 'moeLab.openDashboardOnStart',
} as const;

export interface SettingValues {
  [Setting.runsDirectory]: string;
  [Setting.nodePath]: string;
  /** GiB; 0 for what was found. */
  [Setting.deviceMemory]: number;
  [Setting.codeLens]: boolean;
  [Setting.checkWorkspace]: boolean;
  /** Severities by code, as somebody has written them: `language/configAnalyses.ts` takes what can be understood. */
  [Setting.rules]: Readonly<Record<string, unknown>>;
  [Setting.inlayHints]: boolean;
  [Setting.openDashboardOnStart]: boolean;
}

/** Keys of `when` clauses. */
export const Context = {
  /** Some run is listed in the run explorer. */
  hasRuns: 'moeLab.hasRuns',
  /** onnxruntime-node has no binary for this platform: nothing can be trained here. */
  runtimeMissing: 'moeLab.runtimeMissing',
} as const;

/**
 * What values of `viewItem` in the run explorer begin with; of a run that failed or has an alarm FIXABLE follows, of one behind which
 * members of a sweep wait SWEEP, and of one whose units take different numbers of experts they end with VARIES.
 */
export const RunItemContext = { live: 'run.live', resumable: 'run.resumable', ended: 'run.ended' } as const;
export const FIXABLE = '.fixable';
export const SWEEP = '.sweep';
export const VARIES = '.varies';
export type RunItemContext = (typeof RunItemContext)[keyof typeof RunItemContext];

export const CONFIG_SUFFIX = '.moe.yaml';

/** Where the documents that the language features serve live. */
export const CONFIG_SCHEMES = ['file', 'vscode-remote', 'untitled'] as const;
