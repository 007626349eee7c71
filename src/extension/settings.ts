import * as vscode from 'vscode';
import { Setting, type SettingValues } from './contributions';

const defaults: SettingValues = {
  [Setting.runsDirectory]: '',
  [Setting.nodePath]: '',
  [Setting.deviceMemory]: 0,
  [Setting.codeLens]: true,
  [Setting.checkWorkspace]: true,
  [Setting.rules]: {},
  [Setting.inlayHints]: true,
  [Setting.openDashboardOnStart]: true,
};

/** The setting's value; a value of another type, which a hand-edited file may hold, counts as not set. */
export function setting<S extends keyof SettingValues>(name: S, scope?: vscode.ConfigurationScope): SettingValues[S] {
  const value = vscode.workspace.getConfiguration(undefined, scope).get<SettingValues[S]>(name);
  return typeof value === typeof defaults[name] && value !== undefined ? value : defaults[name];
}
