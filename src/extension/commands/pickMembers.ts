import * as vscode from 'vscode';
import type { LoadedConfig } from '../../config/configFile';
import { memberChoices, type MemberChoice } from '../../language/memberChoice';
import { Dismissed } from '../errors';

/** Asks which members of a sweep to train; undefined for a config without one, which is trained itself. Throws Dismissed. */
export async function pickMembers(loaded: Pick<LoadedConfig, 'members'>, name: string): Promise<readonly number[] | undefined> {
  const choices = memberChoices(loaded);
  if (choices === undefined) return undefined;
  const items = choices.map((choice): vscode.QuickPickItem & { readonly choice: MemberChoice } => ({
    label: choice.label,
    detail: choice.detail,
    choice,
  }));
  const picked = await vscode.window.showQuickPick(items, { title: `Start which members of ${name}?` });
  if (picked === undefined) throw new Dismissed('No member was picked.');
  return picked.choice.members;
}
