import type { RunStatus } from '../runs/format';
import { HEARTBEAT_MILLISECONDS, thisHost } from '../runs/liveness';
import { writeStatus } from '../runs/runWriter';

/** While a run trains, its status is written at most this often besides heartbeats and changes of state. */
const stepMilliseconds = 250;

/** Owns `status.json` of a run while this process trains it. */
export class StatusKeeper {
  private current: RunStatus;
  private writtenAt = Number.NEGATIVE_INFINITY;

  /** `clock` says the time of day, which may jump when it is set; `elapsed` counts milliseconds and only goes forward. */
  constructor(
    private readonly run: string,
    totalSteps: number,
    private readonly clock: () => number = Date.now,
    private readonly elapsed: () => number = () => performance.now(),
  ) {
    this.current = initialStatus(totalSteps, clock());
  }

  get status(): RunStatus {
    return this.current;
  }

  /** Writes at once. Throws RunStorageError. */
  change(changes: Partial<Pick<RunStatus, 'state' | 'step' | 'failure' | 'address'>>): void {
    this.current = { ...this.current, ...changes };
    this.write();
  }

  /** Notes the step; it is written when it has been a while. */
  advance(step: number): void {
    this.current = { ...this.current, step };
    if (this.elapsed() - this.writtenAt >= stepMilliseconds) this.write();
  }

  heartbeat(): void {
    if (this.elapsed() - this.writtenAt >= HEARTBEAT_MILLISECONDS / 2) this.write();
  }

  private write(): void {
    this.writtenAt = this.elapsed();
    this.current = { ...this.current, heartbeat: new Date(this.clock()).toISOString() };
    writeStatus(this.run, this.current);
  }
}

/** The status of a run that this process has in hand and that has not done a step yet. */
export function initialStatus(totalSteps: number, now: number): RunStatus {
  const { host, bootId } = thisHost(now);
  const heartbeat = new Date(now).toISOString();
  return {
    schemaVersion: 1,
    state: 'starting',
    step: 0,
    totalSteps,
    failure: null,
    host,
    bootId,
    pid: process.pid,
    heartbeat,
    address: null,
  };
}
