import { experimentSchema } from '../../src/config/schema';
import type { ModelCount } from '../../src/models/count';
import { attentionCosts } from '../../src/parity/attentionCosts';
import type { ModelInput } from '../comparison/plan';
import { Problem } from '../problem';

interface Cost {
  readonly macs: number;
  /** Floats. */
  readonly memory: number;
}

/** Attention of one layer over one window, counted three ways. */
export interface AttentionFigures {
  readonly program: Pick<Cost, 'macs'>;
  /** Of 2312.07987, without the selections. */
  readonly equation: Cost;
  /** Of its authors. */
  readonly script: Cost;
}

export function attentionFigures(count: ModelCount, input: ModelInput): AttentionFigures {
  const { graph, paperEquation, authorsScript } = attentionCosts(count, experimentSchema.parse({ model: input }).model);
  if (paperEquation === null || authorsScript === null) throw new Problem('The equations of 2312.07987 do not apply to this attention.');
  return {
    program: { macs: graph.macs },
    equation: { macs: paperEquation.macs, memory: paperEquation.memory },
    script: { macs: authorsScript.macs, memory: authorsScript.memory },
  };
}
