import type { Program } from '../../graph/program';
import type { Batch, Device, EvaluationMetrics } from '../engine';
import { BufferSet, type BufferPlace } from './buffers';
import { RoutingTotals } from './routingTotals';
import type { Runtime, RuntimeSession } from './runtime';
import { createRuntimeSession, scalarOf, type Outputs } from './runtimeSession';
import { evaluationGraph, type EvaluationGraph } from './trainingGraph';

interface Evaluation<T> {
  readonly graph: EvaluationGraph;
  readonly session: RuntimeSession;
  /** Evaluation's own lane buffers, which go from one batch of this shape to the next. Training's are never touched. */
  readonly lanes: BufferSet<T>;
}

/**
 * How many shapes keep their session: the usual batch, and for a few validation sets a smaller last one and what does not fill a window.
 */
const KEPT = 9;

/** Forward-only sessions, one per shape of evaluation batch, made when first needed. */
export class EvaluationSessions<T> {
  private readonly evaluations = new Map<string, Evaluation<T>>();

  constructor(
    private readonly runtime: Runtime,
    private readonly program: Program,
    private readonly target: { readonly device: Device; readonly threads: number; readonly place: BufferPlace<T> },
  ) {}

  async for({ batch, time }: Batch): Promise<Evaluation<T>> {
    const key = `${batch}x${time}`;
    const existing = this.evaluations.get(key);
    if (existing !== undefined) return existing;
    const [oldest] = this.evaluations.entries();
    if (oldest !== undefined && this.evaluations.size >= KEPT) {
      this.evaluations.delete(oldest[0]);
      await release(oldest[1]);
    }
    const { device, threads, place } = this.target;
    const graph = evaluationGraph(this.program, device, { batch, time });
    const keepOnDevice = device === 'cpu' ? {} : { keepOnDevice: graph.bufferUpdates.map(({ output }) => output) };
    const session = await createRuntimeSession(this.runtime, graph.model, { device, threads, ...keepOnDevice });
    const lanes = await BufferSet.create(this.program, { batch, time, microbatches: 1 }, place, ({ updated }) => updated === 'lane');
    const made = { graph, session, lanes };
    this.evaluations.set(key, made);
    return made;
  }

  async dispose(): Promise<void> {
    for (const evaluation of this.evaluations.values()) await release(evaluation);
    this.evaluations.clear();
  }
}

async function release<T>({ session, lanes }: Evaluation<T>): Promise<void> {
  await session.release();
  lanes.dispose();
}

export function evaluationMetrics(program: Program, graph: EvaluationGraph, outputs: Outputs): EvaluationMetrics {
  return {
    negativeLogLikelihood: scalarOf(outputs, graph.negativeLogLikelihood),
    dropRate: graph.dropRate === null ? null : scalarOf(outputs, graph.dropRate),
    ...new RoutingTotals(graph.routing, program).add(outputs).use,
  };
}
