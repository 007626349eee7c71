import * as vscode from 'vscode';
import type { LoadedConfig } from '../../config/configFile';
import { memberChoices, type MemberChoice } from '../../language/memberChoice';
import { Dismissed } from '../errors';
import { notificationText } from '../notificationText';
import type { RunStore } from '../runs/runStore';
import { untilOver } from '../runs/untilOver';

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

/** A member that waits for its turn. */
export interface WaitingMember {
  start(): Promise<string>;
}

/**
 * Starts members one after the other, each once the one before is over; the first has been started already. A member that fails is no reason to leave the
 * others out; one that the user has stopped is. What is left when the window closes is not started.
 */
export async function startInTurn(
  store: RunStore,
  first: string,
  waiting: readonly WaitingMember[],
  reportError: (error: unknown) => void,
): Promise<void> {
  let running = first;
  for (const [index, member] of waiting.entries()) {
    const ended = await untilOver(store, running);
    if (ended !== 'finished' && ended !== 'failed') {
      const left = waiting.length - index;
      const rest = `${left} ${left === 1 ? 'member' : 'members'} of the sweep ${left === 1 ? 'was' : 'were'} not started`;
      void vscode.window.showInformationMessage(notificationText(`${rest}, since the run before was ${ended ?? 'deleted'}.`));
      return;
    }
    try {
      running = await member.start();
    } catch (error) {
      // The user has been told, or is now; what comes next may still be trained.
      if (!(error instanceof Dismissed)) reportError(error);
    }
  }
}
