import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { launchLadder } from '../../worker/ladder';
import { climb } from '../../worker/probe';
import { Setting } from '../contributions';
import { hasRuntime } from '../runtimePlatform';
import { setting } from '../settings';
import { debugReport, type DebugFacts } from './debugReport';

const DEVICES = ['cpu', 'webgpu'] as const;

/** Copies a report for bug reports: versions, and what every Node on every device says. */
export async function debugInformation(context: vscode.ExtensionContext): Promise<string> {
  const devices = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: 'Trying the devices of this machine' },
    () => tryDevices(context),
  );
  const report = debugReport({ facts: collectFacts(context), devices });
  await vscode.env.clipboard.writeText(report);
  const show = 'Show';
  void vscode.window.showInformationMessage('Debug information copied to the clipboard.', show).then(async (chosen) => {
    if (chosen !== show) return;
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: 'markdown', content: report }));
  });
  return report;
}

function collectFacts({ extension }: vscode.ExtensionContext): DebugFacts['facts'] {
  const { version } = extension.packageJSON as { readonly version: string };
  return [
    ['MoE Lab', version],
    ['VS Code', `${vscode.version}, ${vscode.env.uiKind === vscode.UIKind.Web ? 'in a browser' : 'desktop'}`],
    ['Remote', vscode.env.remoteName ?? 'no'],
    ['Extension host', `${process.platform}-${process.arch}, Node ${process.versions.node}, host ${hostname()}`],
    ['Workspace', `${vscode.workspace.isTrusted ? 'trusted' : 'not trusted'}, folders: ${vscode.workspace.workspaceFolders?.length ?? 0}`],
    [Setting.runsDirectory, setting(Setting.runsDirectory) || 'not set'],
    [Setting.nodePath, setting(Setting.nodePath) || 'not set'],
    ['Runtime has a build for this platform', hasRuntime(process.platform, process.arch) ? 'yes' : 'no'],
  ];
}

/** Runs probes, so only in a trusted workspace. */
async function tryDevices({ extensionUri }: vscode.ExtensionContext): Promise<DebugFacts['devices']> {
  if (!vscode.workspace.isTrusted) return undefined;
  const rungs = launchLadder({
    platform: process.platform,
    nodePath: setting(Setting.nodePath),
    environment: process.env,
    execPath: process.execPath,
    isElectron: process.versions['electron'] !== undefined,
    exists: existsSync,
  });
  const probeScript = join(extensionUri.fsPath, 'dist', 'probe.js');
  const reports: Record<string, Awaited<ReturnType<typeof climb>>['report']> = {};
  for (const device of DEVICES) reports[device] = (await climb(rungs, probeScript, device)).report;
  return reports;
}
