import { ProgramBuilder } from '../../../src/graph/builder';
import type { Parameter, Program } from '../../../src/graph/program';

export interface TableProgramOptions {
  /** Of the tables, default rows. */
  readonly gradient?: Parameter['gradient'];
  /** Rows of each table, a square number. */
  readonly rows?: number;
  /** Retrieved for each token: by each of two heads. */
  readonly choices?: number;
  /** Scale of the learning rate of the tables. */
  readonly rateScale?: number;
}

/**
 * A small model with a layer of single-neuron experts (2407.04153): two tables that share their indices, a third that is summed only, and
 * dense parameters beside them. Its AdamW has a large epsilon, as that of stepProgram has.
 */
export function tableProgram(options: TableProgramOptions = {}): Program {
  const { gradient = 'rows', rows = 49, choices = 3, rateScale = 2 } = options;
  const [vocabulary, width, heads, units] = [11, 6, 2, 'batch*time'];
  const side = Math.sqrt(rows);
  const builder = new ProgramBuilder();
  const flat = (name: string) => builder.reshape(builder.input(name, ['batch', 'time'], 'int32'), [units]);
  const [tokens, targets] = [flat('tokens'), flat('targets')];
  const weight = (name: string, shape: readonly number[], standardDeviation: number) =>
    builder.parameter(name, shape, { initialiser: { kind: 'normal', standardDeviation }, role: 'experts' });
  const table = (name: string) =>
    builder.parameter(name, [rows, width], {
      initialiser: { kind: 'normal', standardDeviation: 0.5 },
      role: 'experts',
      group: 'tables',
      gradient,
    });
  const embedding = weight('embedding', [vocabulary, width], 0.5);
  const x = builder.gatherRows(embedding, tokens);

  return builder.inScope('retrieval', () => {
    const k = heads * choices;
    const scores = (name: string) =>
      builder.reshape(builder.matmul(x, weight(name, [width, heads * side], 1)), [`${heads}*${units}`, side]);
    const [first, second] = [scores('first'), scores('second')];
    const keys = builder.productKeys(first, second, choices);
    const sums = builder.add(builder.takeAlongLast(first, keys.first), builder.takeAlongLast(second, keys.second));
    const indices = builder.reshape(keys.indices, [units, k]);
    const weights = builder.reshape(builder.softmax(sums), [units, k]);
    const hidden = builder.activation('gelu', builder.rowDot(table('down'), indices, x));
    const experts = builder.rowSum(table('up'), indices, builder.multiply(weights, hidden));
    const values = builder.rowSum(table('values'), indices, weights);
    const y = builder.add(builder.add(x, experts), values);
    const negativeLogLikelihood = builder.sum(builder.crossEntropy(builder.matmul(y, embedding, { transposeB: true }), targets), [0]);
    const loss = builder.multiply(negativeLogLikelihood, builder.constant(1, [], [units]));
    return builder.finish({
      name: 'tables',
      outputs: { loss, negativeLogLikelihood, crossEntropy: loss },
      retrievals: [{ name: 'retrieval', experts: rows, k, indices: indices.id, weights: weights.id }],
      optimiser: {
        kind: 'adamw',
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 0.01,
        clip: 0.5,
        groups: { decayed: { weightDecay: 0.1, rateScale: 1 }, tables: { weightDecay: 0.1, rateScale } },
      },
    });
  });
}
