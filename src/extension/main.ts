import { join } from 'node:path';
import * as vscode from 'vscode';
import { branchWithFix } from './commands/branchWithFix';
import { compareConfigs } from './commands/compareConfigs';
import { chooseSizes } from './commands/chooseSizes';
import { createParityTwin } from './commands/createParityTwin';
import { createSample, finishPendingSample } from './commands/createSample';
import { createTwin } from './commands/createTwin';
import { debugInformation } from './commands/debugInformation';
import { measureMachine } from './commands/measureMachine';
import { newConfig } from './commands/newConfig';
import { openConfigEditor } from './commands/openConfigEditor';
import { openDashboard } from './commands/openDashboard';
import { selectedRun } from './commands/pickRun';
import { resumeRun } from './commands/resumeRun';
import { confirmAndDeleteRun, copyRunPath, revealRunFolder, showRunLog } from './commands/runFolderCommands';
import { scaleToBudget } from './commands/scaleToBudget';
import { startRun } from './commands/startRun';
import { stopRun } from './commands/stopRun';
import { stopSweep } from './commands/stopSweep';
import { Command, Context, InternalCommand, Setting, type CommandHandlers } from './contributions';
import { provideCodeActions } from './language/codeActions';
import { provideCodeLenses } from './language/codeLenses';
import { ComparisonDocuments } from './language/comparisonDocuments';
import { ConfigAnalyses } from './language/configAnalyses';
import { CountDocuments } from './language/countDocument';
import { provideCompletions } from './language/completion';
import { provideHovers } from './language/hovers';
import { provideInlayHints } from './language/inlayHints';
import { MachineMemory } from './language/machineMemory';
import { MachineSpeed } from './language/machineSpeed';
import { OverlapChecks } from './language/overlapChecks';
import { isRuleCode, showRule } from './language/rulePage';
import { WorkspaceConfigs } from './language/workspaceConfigs';
import { ConfigEditors } from './panels/configEditorProvider';
import { registerDashboard } from './panels/dashboardPanel';
import { errorReporter } from './reportError';
import { FailureNotices } from './runs/failureNotices';
import type { RunNode } from './runs/runItems';
import { collectRunsFolders } from './runs/runsFolders';
import { StoredRunSelection } from './runs/runSelection';
import { RunStore } from './runs/runStore';
import { RunTree } from './runs/runTree';
import { showRunsInStatusBar } from './runs/statusBar';
import { SweepFollower } from './runs/sweepFollower';
import { hasRuntime } from './runtimePlatform';
import { setting } from './settings';
import { foldersOnDisk } from './workspaceFolders';

/** What the entry has hung up already when the rest is loaded. */
export interface Doors {
  readonly tree: vscode.TreeView<RunNode>;
  readonly treeChanged: vscode.EventEmitter<RunNode[] | undefined>;
}

/** What the entry's doors lead to. */
export interface MoeLab {
  readonly runTree: RunTree;
  /** Runs a command and reports its error to the user; the result is the command's, undefined where it failed. */
  runCommand(command: keyof CommandHandlers, given: readonly unknown[]): Promise<unknown>;
  restoreDashboard(panel: vscode.WebviewPanel, state: unknown): void;
  editConfig(document: vscode.TextDocument, panel: vscode.WebviewPanel): void;
}

/** Builds the extension. Called once per window, when first something of it is used. */
export async function start(context: vscode.ExtensionContext, { tree, treeChanged }: Doors): Promise<MoeLab> {
  const log = vscode.window.createOutputChannel('MoE Lab', { log: true });
  const reportError = errorReporter(log);
  const runtimeMissing = !hasRuntime(process.platform, process.arch);
  void vscode.commands.executeCommand('setContext', Context.runtimeMissing, runtimeMissing);

  const selection = new StoredRunSelection(context.workspaceState);
  const store = new RunStore(
    () => collectRunsFolders(foldersOnDisk(), setting(Setting.runsDirectory)),
    (error) => log.error('Reading the runs failed.', error),
  );
  const runTree = new RunTree(store, selection, tree, treeChanged);
  const overlaps = new OverlapChecks(join(__dirname, 'overlapThread.js'), log);
  const speed = new MachineSpeed(store, (error) => log.error('Reading measurements failed.', error));
  const memory = new MachineMemory([store.onDidChange, store.onDidChangeMachine, speed.onDidChange]);
  const analyses = new ConfigAnalyses(overlaps, memory);
  const workspaceConfigs = new WorkspaceConfigs(analyses, log, context.extensionUri);
  const countDocuments = new CountDocuments(analyses);
  const comparisons = new ComparisonDocuments(analyses.onDidOutdate);
  // Not among the subscriptions: it would close its panel when the window reloads, which is when the panel is to be kept.
  const dashboard = registerDashboard(context, { selection, log });
  const configEditors = new ConfigEditors(context.extensionUri, analyses, log);
  const notices = new FailureNotices(store);
  const training = { extensionUri: context.extensionUri, store, selection, dashboard, notices, reportError };

  const handlers: CommandHandlers = {
    [Command.createSample]: () => createSample(context.globalState),
    [Command.newConfig]: () => newConfig(),
    // Only who asks for presets loads them.
    [Command.newFromPreset]: async () => (await import('./commands/newFromPreset')).newFromPreset(),
    [Command.startRun]: (config) => startRun(training, config),
    [Command.stopRun]: (run) => stopRun(store, run),
    [Command.stopSweep]: (run) => stopSweep(store, run),
    [Command.resumeRun]: (run) => resumeRun(training, run),
    [Command.openDashboard]: (run) => openDashboard(dashboard, store, selection, run),
    [Command.refreshRuns]: () => store.refresh(),
    [Command.revealRunFolder]: (run) => revealRunFolder(store, run),
    [Command.deleteRun]: (run) => confirmAndDeleteRun(store, selection, run === 'selected' ? selectedRun(tree) : run),
    [Command.copyRunPath]: (run) => copyRunPath(store, run),
    [Command.showRunLog]: (run) => showRunLog(store, run),
    [Command.createTwin]: (subject) => createTwin(store, subject),
    [Command.createParityTwin]: (config) => createParityTwin(config),
    [Command.scaleToBudget]: (config) => scaleToBudget(training, speed, config),
    [Command.measureMachine]: (config) => measureMachine(training, speed, config),
    [Command.compareConfigs]: (one, selected) => compareConfigs(comparisons, store, one, selected),
    [Command.branchWithFix]: (run) => branchWithFix(store, run),
    [Command.openConfigEditor]: (config) => openConfigEditor(config),
    [Command.debugInformation]: () => debugInformation(context),
    [InternalCommand.showCount]: (config) => countDocuments.show(config),
    [InternalCommand.showRule]: (rule) => showRule(context.extensionUri, rule),
    [InternalCommand.chooseSizes]: (config) => chooseSizes(analyses, config),
  };

  const showHasRuns = (): void => {
    void vscode.commands.executeCommand('setContext', Context.hasRuns, store.runs.length > 0);
  };
  context.subscriptions.push(
    log,
    selection,
    store,
    notices,
    runTree,
    analyses,
    countDocuments,
    comparisons,
    overlaps,
    workspaceConfigs,
    provideCodeActions(analyses, workspaceConfigs.board),
    speed,
    memory,
    provideCodeLenses(analyses, speed),
    provideHovers(analyses),
    provideCompletions(),
    provideInlayHints(analyses),
    new SweepFollower(store, selection, context.workspaceState),
    showRunsInStatusBar(store),
    store.onDidChange(showHasRuns),
    vscode.workspace.onDidChangeWorkspaceFolders(() => void store.refresh()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(Setting.runsDirectory)) void store.refresh();
    }),
    // Runs that a terminal has started, or another window: looked at when the user comes back to this one.
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) void store.refresh();
    }),
  );
  await store.refresh();
  void finishPendingSample(context.globalState);

  return {
    runTree,
    runCommand: async (command, given) => {
      // package.json, lenses and panels pass what CommandArguments says; the types end at VS Code's command service.
      const handler = handlers[command] as (...args: readonly unknown[]) => unknown;
      try {
        return await handler(...given.map(knownArgument));
      } catch (error) {
        reportError(error);
        return undefined;
      }
    },
    restoreDashboard: (panel, state) => dashboard.restore(panel, state),
    editConfig: (document, panel) => configEditors.open(document, panel),
  };
}

/** Menus of a tree view may pass null, or a folder of the tree, where a command takes a run: that is no argument. */
function knownArgument(given: unknown): unknown {
  // All that is selected, beside the one that a menu was opened on.
  if (Array.isArray(given)) return given.map(knownArgument).filter((one) => one !== undefined);
  const isRun = typeof given === 'object' && given !== null && 'directory' in given && typeof given.directory === 'string';
  return isRun || given instanceof vscode.Uri || given === 'selected' || isRuleCode(given) ? given : undefined;
}
