import type { Program } from '../../graph/program';
import type { StepMetrics } from '../engine';
import { RoutingTotals } from './routingTotals';
import { scalarOf, type Outputs } from './runtimeSession';
import type { TrainingGraph } from './trainingGraph';

const figures = ['loss', 'crossEntropy', 'balance', 'zLoss', 'dropRate'] as const;
type Figure = (typeof figures)[number];

/** Adds up the figures that the microbatches of a step give. */
export class StepTotals {
  private readonly sums: Record<Figure, number> = { loss: 0, crossEntropy: 0, balance: 0, zLoss: 0, dropRate: 0 };
  private readonly routing: RoutingTotals;
  private microbatches = 0;

  constructor(
    private readonly graph: TrainingGraph,
    program: Program,
  ) {
    this.routing = new RoutingTotals(graph.routing, program);
  }

  add(outputs: Outputs): void {
    this.microbatches++;
    for (const figure of figures) {
      const output = this.graph[figure];
      if (output !== null) this.sums[figure] += scalarOf(outputs, output);
    }
    this.routing.add(outputs);
  }

  get lossIsFinite(): boolean {
    return Number.isFinite(this.sums.loss);
  }

  metrics(gradientNorm: number): StepMetrics {
    const mean = (figure: Figure) => this.sums[figure] / this.microbatches;
    const optional = (figure: Figure) => (this.graph[figure] === null ? null : mean(figure));
    return {
      loss: mean('loss'),
      crossEntropy: mean('crossEntropy'),
      balance: optional('balance'),
      zLoss: optional('zLoss'),
      dropRate: optional('dropRate'),
      gradientNorm,
      ...this.routing.use,
    };
  }
}
