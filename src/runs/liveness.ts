import { readFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import type { RunState, RunStatus } from './format';

/** What a reader can tell about the process behind a status. */
export interface Here {
  readonly host: string;
  readonly bootId: string;
  /** Is there a process with this pid on this host? */
  isAlive(pid: number): boolean;
  /** When that process started, milliseconds since the epoch; undefined where the system does not say. */
  startedAt(pid: number): number | undefined;
}

/** `lost`: the worker died without saying so (killed, power cut). Such a run can be resumed. */
export type ObservedState = RunState | 'lost';

/** A worker writes a heartbeat this often. */
export const HEARTBEAT_MILLISECONDS = 2_000;
/** A younger heartbeat is believed as it is. */
const freshMilliseconds = 30_000;
/** Nobody here can look at a process on another host: after this silence it counts as lost. */
const silenceMilliseconds = 300_000;
/** Two processes' clocks read the start of a process this far apart at worst. */
const startTolerance = 2_000;

export function isLive(state: ObservedState): boolean {
  return state === 'starting' || state === 'running' || state === 'stopping';
}

/** The state of a run as an observer sees it at `now` (milliseconds since the epoch). */
export function observe(status: RunStatus, here: Here, now: number): ObservedState {
  if (!isLive(status.state)) return status.state;
  const heartbeat = Date.parse(status.heartbeat);
  const silence = Number.isNaN(heartbeat) ? Number.POSITIVE_INFINITY : now - heartbeat;
  if (status.host !== here.host) return silence > silenceMilliseconds ? 'lost' : status.state;
  if (!here.isAlive(status.pid)) return 'lost';
  if (silence <= freshMilliseconds) return status.state;
  if (!sameBoot(status.bootId, here.bootId)) return 'lost';
  // Alive but silent: suspended, or the machine slept, or another process has got the pid since.
  const startedAt = here.startedAt(status.pid);
  return startedAt !== undefined && startedAt > heartbeat + startTolerance ? 'lost' : status.state;
}

const derivedPrefix = 'booted-';

function sameBoot(one: string, other: string): boolean {
  if (one === other) return true;
  if (!one.startsWith(derivedPrefix) || !other.startsWith(derivedPrefix)) return false;
  // Derived from the clock, which may have been set since: a few minutes are the same boot.
  return Math.abs(Number(one.slice(derivedPrefix.length)) - Number(other.slice(derivedPrefix.length))) <= 3;
}

/** Linux names every boot; elsewhere the minute in which the host started stands for it. */
export function readBootId(now: number): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `${derivedPrefix}${Math.round((now - uptime() * 1000) / 60_000)}`;
  }
}

export function thisHost(now: number = Date.now()): Here {
  return { host: hostname(), bootId: readBootId(now), isAlive: isProcessAlive, startedAt: processStart };
}

export function isProcessAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: there is one, but it is not ours.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return !isZombie(pid);
}

/** The fields of /proc/PID/stat after the command name, which may itself hold spaces and parentheses. */
function processStat(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Dead, but its parent has not asked how it ended. */
function isZombie(pid: number): boolean {
  return processStat(pid)?.[0] === 'Z';
}

function processStart(pid: number): number | undefined {
  const ticks = Number(processStat(pid)?.[19]);
  if (!Number.isFinite(ticks)) return undefined;
  try {
    const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
    // Linux reports process times to user space in hundredths of a second, whatever the kernel's own tick.
    return Number.isFinite(bootSeconds) ? bootSeconds * 1000 + ticks * 10 : undefined;
  } catch {
    return undefined;
  }
}
