import * as z from 'zod';
import { readResolvedExperiment } from '../config/resolvedExperiment';
import type { ModelCount } from '../models/count';
import { modelCost } from '../parity/closedForm/modelCost';
import type { RunDescription } from '../runs/format';

const amount = z.number();

const countSchema = z.object({
  parameters: z.object({
    total: amount,
    active: amount,
    embedding: amount,
    attention: amount,
    position: amount,
    ffn: amount,
    experts: amount,
    shared: amount,
    router: amount,
    head: amount,
    merge: amount,
    norm: amount,
    output: amount,
  }),
  activeIsUpperBound: z.boolean(),
  macsPerToken: z.object({
    total: amount,
    attention: amount,
    attentionCore: amount,
    position: amount,
    ffn: amount,
    experts: amount,
    router: amount,
    logits: amount,
  }),
  routed: z.object({ experts: amount, head: amount, merge: amount, shared: amount }),
  attention: z.object({ projections: amount, experts: amount, selections: amount }),
  layers: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['dense', 'smoe', 'mh-moe', 'peer', 'pkm']),
      parameters: amount,
      macsPerToken: amount,
      routerParameters: amount,
      routerMacsPerToken: amount,
      macsPerChoice: amount,
    }),
  ),
}) satisfies z.ZodType<ModelCount>;

/**
 * What a run's model costs: as its run.json keeps it, or, of an earlier version's, counted again. Undefined where neither is understood.
 */
export function runCost({ cost, experiment: resolved }: Pick<RunDescription, 'cost' | 'experiment'>): ModelCount | undefined {
  const kept = countSchema.safeParse(cost);
  if (kept.success) return kept.data;
  const { experiment } = readResolvedExperiment(resolved);
  return experiment && modelCost(experiment.model);
}
