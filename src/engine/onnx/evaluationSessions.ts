import type { Program } from '../../graph/program';
import type { Batch, Device, EvaluationMetrics } from '../engine';
import type { Runtime, RuntimeSession } from './runtime';
import { createRuntimeSession, floatsOf, scalarOf, type Outputs } from './runtimeSession';
import { evaluationGraph, type EvaluationGraph } from './trainingGraph';

interface Evaluation {
  readonly graph: EvaluationGraph;
  readonly session: RuntimeSession;
}

/** How many shapes keep their session: the usual batch, and for a few validation sets a smaller last one and what does not fill a window. */
const KEPT = 9;

/** Forward-only sessions, one per shape of evaluation batch, made when first needed. */
export class EvaluationSessions {
  private readonly evaluations = new Map<string, Evaluation>();

  constructor(
    private readonly runtime: Runtime,
    private readonly program: Program,
    private readonly device: Device,
    private readonly threads: number,
  ) {}

  async for({ batch, time }: Batch): Promise<Evaluation> {
    const key = `${batch}x${time}`;
    const existing = this.evaluations.get(key);
    if (existing !== undefined) return existing;
    const [oldest] = this.evaluations.entries();
    if (oldest !== undefined && this.evaluations.size >= KEPT) {
      this.evaluations.delete(oldest[0]);
      await oldest[1].session.release();
    }
    const graph = evaluationGraph(this.program, this.device, { batch, time });
    const session = await createRuntimeSession(this.runtime, graph.model, { device: this.device, threads: this.threads });
    const made = { graph, session };
    this.evaluations.set(key, made);
    return made;
  }

  async dispose(): Promise<void> {
    for (const { session } of this.evaluations.values()) await session.release();
    this.evaluations.clear();
  }
}

export function evaluationMetrics(graph: EvaluationGraph, outputs: Outputs): EvaluationMetrics {
  return {
    negativeLogLikelihood: scalarOf(outputs, graph.negativeLogLikelihood),
    dropRate: graph.dropRate === null ? null : scalarOf(outputs, graph.dropRate),
    expertCounts: graph.expertCounts.map((name) => floatsOf(outputs, name)),
  };
}
