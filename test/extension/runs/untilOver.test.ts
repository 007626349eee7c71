import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { untilOver } from '../../../src/extension/runs/untilOver';
import type { ObservedState } from '../../../src/runs/liveness';

/** A list that says what it is told to, as a store does that reads run directories. */
class List {
  private readonly states = new Map<string, ObservedState>();
  readonly events = new EventEmitter();
  find = (directory: string) => {
    const state = this.states.get(directory);
    return state === undefined ? undefined : { state };
  };
  onDidChange = (listener: () => void) => {
    this.events.on('change', listener);
    return { dispose: () => this.events.off('change', listener) };
  };
  set(directory: string, state: ObservedState | undefined): void {
    if (state === undefined) this.states.delete(directory);
    else this.states.set(directory, state);
    this.events.emit('change');
  }
}

it('waits for a run until it is over, whatever others do, and listens no longer then', async () => {
  const list = new List();
  const states: (ObservedState | undefined)[] = [];
  const waiting = untilOver(list, '/a').then((state) => states.push(state));
  for (const state of ['starting', 'running', 'stopping'] as const) {
    list.set('/a', state);
    list.set('/b', 'finished');
    await Promise.resolve();
    expect(states).toEqual([]);
  }
  list.set('/a', 'stopped');
  await waiting;
  expect(states).toEqual(['stopped']);
  expect(list.events.listenerCount('change')).toBe(0);
});

it('takes one that is over already, and one that is deleted while it is waited for', async () => {
  const list = new List();
  list.set('/a', 'failed');
  expect(await untilOver(list, '/a')).toBe('failed');
  const deleted = untilOver(list, '/b');
  list.set('/b', 'running');
  list.set('/b', undefined);
  expect(await deleted).toBeUndefined();
});
