import * as vscode from 'vscode';
import { isLive } from '../../runs/liveness';
import { dropSweepQueue } from '../../runs/sweepQueue';
import { requestStop } from '../../worker/client';
import { stopSweep as stopSweepOf } from '../../worker/stopSweep';
import type { RunTarget } from '../contributions';
import { ExtensionError } from '../errors';
import type { RunStore } from '../runs/runStore';
import { pickRun } from './pickRun';

/** Drops the members that wait behind a run, and stops the run if it trains. */
export async function stopSweep(store: RunStore, given: RunTarget | undefined): Promise<void> {
  const run = await pickRun(store, given, {
    title: 'Stop the sweep of which run?',
    none: 'No member of a sweep waits.',
    suits: ({ sweep }) => sweep !== null,
  });
  // One that has ended meanwhile is followed by the run that is meant.
  const stopped = run.sweep === null && isLive(run.state) ? undefined : await stopSweepOf(run.directory);
  if (stopped === undefined) throw new ExtensionError(`Nothing waits behind ${run.name}.`, 'Stop Run stops the run itself.');
  const { dropped, route } = stopped;
  const stops = route === null ? '' : `${stopped.run.name} stops; `;
  vscode.window.setStatusBarMessage(`$(stop-circle) ${stops}${dropped} ${dropped === 1 ? 'member was' : 'members were'} dropped`, 5_000);
  await store.refresh();
}

/** What waits is dropped first: should the run end at this moment, the next is not started. */
export async function stopWithSweep(run: string): Promise<void> {
  dropSweepQueue(run);
  await requestStop(run);
}
