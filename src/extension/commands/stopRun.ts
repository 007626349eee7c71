import * as vscode from 'vscode';
import { isLive } from '../../runs/liveness';
import { requestStop } from '../../worker/client';
import type { RunTarget } from '../contributions';
import { ExtensionError } from '../errors';
import type { RunStore } from '../runs/runStore';
import { pickRun } from './pickRun';

/** Asks the run's worker to stop after the step at work, with a checkpoint. The run explorer then says `stopping`. */
export async function stopRun(store: RunStore, given: RunTarget | undefined): Promise<void> {
  const run = await pickRun(store, given, { title: 'Stop which run?', none: 'No run is training.', suits: ({ state }) => isLive(state) });
  if (!isLive(run.state)) throw new ExtensionError(`${run.name} is not training: it is ${run.state}.`, 'There is nothing to stop.');
  const route = await requestStop(run.directory);
  const how =
    route === 'socket' ? 'after the step at work' : run.remote ? `when its worker on ${run.host} finds the request` : 'within seconds';
  vscode.window.setStatusBarMessage(`$(debug-stop) ${run.name} stops ${how}`, 5_000);
  await store.refresh();
}
