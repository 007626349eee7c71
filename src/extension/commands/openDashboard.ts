import { isLive } from '../../runs/liveness';
import type { RunTarget } from '../contributions';
import type { Dashboard } from '../panels/dashboardPanel';
import type { RunSelection } from '../runs/runSelection';
import type { RunStore } from '../runs/runStore';

/** Opens the dashboard. Where nothing is chosen to be shown, what is training is, or else the newest run. */
export async function openDashboard(
  dashboard: Dashboard,
  store: RunStore,
  selection: RunSelection,
  given: RunTarget | undefined,
): Promise<void> {
  if (given !== undefined) {
    dashboard.open(given.directory);
    return;
  }
  await store.refresh();
  const { runs } = store;
  if (!runs.some(({ directory }) => selection.has(directory))) {
    const live = runs.filter(({ state }) => isLive(state));
    selection.set(
      (live.length > 0 ? live : runs.slice(0, 1)).map(({ directory }) => directory),
      true,
    );
  }
  dashboard.open();
}
