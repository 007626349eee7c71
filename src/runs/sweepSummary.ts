import type { RunStatus } from './format';
import { isLive, type Here, type ObservedState } from './liveness';
import type { SweepProblem, SweepQueue } from './sweepQueue';

/** What follows a run, as a list shows it. */
export interface SweepSummary {
  /** The members whose turn comes after it, by name, the next one first. */
  readonly waiting: readonly string[];
  /** Members that could not be started when it was their turn. */
  readonly refused: readonly ({ readonly member: string } & SweepProblem)[];
  /** Why nobody starts the next. */
  readonly halted: SweepProblem | null;
  /** Whether the next is started by itself: the run trains, or its process is just about it. Else somebody has to resume the run. */
  readonly goesOn: boolean;
}

/** `state`: what the run is in as observed from `here`. */
export function sweepSummary(queue: SweepQueue, status: RunStatus, state: ObservedState, here: Here): SweepSummary {
  const waiting = queue.waiting.flatMap(({ member, problem }) => (problem === null ? [member] : []));
  const refused = queue.waiting.flatMap(({ member, problem }) => (problem === null ? [] : [{ member, ...problem }]));
  const isOver = state === 'finished' || state === 'failed';
  // Of a worker on another host only the status is known, and that says nothing of what it does after its end.
  const isBusy = isOver && status.host === here.host && status.bootId === here.bootId && here.isAlive(status.pid);
  const goesOn = waiting.length > 0 && queue.halted === null && (isLive(state) || isBusy);
  return { waiting, refused, halted: queue.halted, goesOn };
}

/** How many members would be dropped with the queue. */
export function leftBehind(sweep: SweepSummary | null): number {
  return sweep === null ? 0 : sweep.waiting.length + sweep.refused.length;
}

/** `then 3 more`, `3 more wait`, `1 member was not started`; empty where nothing follows. */
export function sweepText({ waiting, refused, halted, goesOn }: SweepSummary): string {
  const left = waiting.length;
  const parts = [
    ...(left === 0 ? [] : [goesOn ? `then ${left} more` : `${left} more ${left === 1 ? 'waits' : 'wait'}`]),
    ...(refused.length === 0 ? [] : [`${refused.length} ${refused.length === 1 ? 'member was' : 'members were'} not started`]),
    ...(left + refused.length === 0 && halted !== null ? ['what waits cannot be read'] : []),
  ];
  return parts.join(', ');
}

const mostNamed = 5;

/** `top_k=2; top_k=4; and 3 more`. */
export function waitingNames({ waiting }: SweepSummary): string {
  const more = waiting.length - mostNamed;
  return [...waiting.slice(0, mostNamed), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** Why members do not train, a sentence or two for each. */
export function sweepProblems({ refused, halted }: SweepSummary): readonly string[] {
  const stuck = halted === null ? [] : [`The next is not started: ${halted.message} ${halted.advice}`];
  return [...refused.map(({ member, message, advice }) => `${member} was not started: ${message} ${advice}`), ...stuck].map((text) =>
    text.trim(),
  );
}
