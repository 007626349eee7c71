import * as vscode from 'vscode';
import { Command } from '../contributions';
import type { RunStore } from './runStore';
import { collectStatus } from './statusText';

/** The status bar item: what is training now. */
export function showRunsInStatusBar(store: RunStore): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('moeLab.runs', vscode.StatusBarAlignment.Left);
  item.name = 'MoE Lab runs';
  item.command = Command.openDashboard;
  const update = (): void => {
    const status = collectStatus(store.runs);
    if (status === undefined) {
      item.hide();
      return;
    }
    item.text = status.text;
    item.tooltip = status.tooltip;
    item.show();
  };
  update();
  return vscode.Disposable.from(item, store.onDidChange(update));
}
