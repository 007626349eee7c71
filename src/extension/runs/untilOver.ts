import { isLive, type ObservedState } from '../../runs/liveness';

/** Runs as somebody lists them, again and again. */
export interface ListedRuns {
  find(directory: string): { readonly state: ObservedState } | undefined;
  onDidChange(listener: () => void): { dispose(): unknown };
}

/** The state in which a run is over; undefined where it was deleted meanwhile. */
export function untilOver(store: ListedRuns, run: string): Promise<ObservedState | undefined> {
  return new Promise((resolve) => {
    let seen = false;
    const look = (): void => {
      const state = store.find(run)?.state;
      if (state !== undefined) seen = true;
      // Until it is listed it has only just been made.
      if (state === undefined ? !seen : isLive(state)) return;
      subscription.dispose();
      resolve(state);
    };
    const subscription = store.onDidChange(look);
    look();
  });
}
