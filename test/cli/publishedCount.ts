import { z } from 'zod';

const macs = z.strictObject(
  Object.fromEntries(
    ['total', 'attention', 'attentionCore', 'position', 'ffn', 'experts', 'router', 'logits'].map((key) => [key, z.int()]),
  ),
);
const parameters = z.strictObject(
  Object.fromEntries(
    ['total', 'active', 'embedding', 'attention', 'position', 'ffn', 'experts', 'shared', 'router', 'head', 'merge', 'norm', 'output'].map(
      (key) => [key, z.int()],
    ),
  ),
);
const routed = z.strictObject({ experts: z.int(), head: z.int(), merge: z.int(), shared: z.int() });
const layer = z.strictObject({
  name: z.string(),
  kind: z.enum(['dense', 'smoe', 'mh-moe', 'peer', 'pkm']),
  parameters: z.int(),
  macsPerToken: z.int(),
  routerParameters: z.int(),
  routerMacsPerToken: z.int(),
  macsPerChoice: z.int(),
});
const paperCost = z.strictObject({ macs: z.int(), selections: z.int(), memory: z.int() });
const memoryPart = z.strictObject({ name: z.string(), meaning: z.string(), exact: z.boolean(), host: z.number(), device: z.number() });
/** What `moe-lab count --json` prints, key by key: strict, so that a key more or less is a failure. */
export const published = z.strictObject({
  schemaVersion: z.literal(1),
  models: z.array(
    z.strictObject({
      file: z.string(),
      name: z.string(),
      parameters,
      activeIsUpperBound: z.boolean(),
      macsPerToken: macs,
      routedMacsPerToken: routed,
      attentionMacsPerToken: z.strictObject({ projections: z.int(), experts: z.int(), selections: z.int() }),
      attentionCosts: z
        .strictObject({
          graph: z.strictObject({
            macs: z.int(),
            projections: z.int(),
            experts: z.int(),
            selections: z.int(),
            core: z.int(),
            positions: z.int(),
          }),
          paperEquation: paperCost.nullable(),
          authorsScript: paperCost.omit({ selections: true }).nullable(),
        })
        .nullable(),
      varyingK: z.strictObject({ counted: z.int(), most: z.int() }).nullable(),
      sweep: z.strictObject({ against: z.string(), members: z.array(z.looseObject({ name: z.string() })) }).nullable(),
      training: z
        .strictObject({
          memory: z.strictObject({ parts: z.array(memoryPart), host: z.number(), device: z.number() }),
          disk: z.strictObject({ checkpoints: z.number(), series: z.number(), total: z.number() }),
        })
        .nullable(),
      layers: z.array(layer),
      parity: z
        .strictObject({
          baseline: z.string(),
          parameters: z.number(),
          parametersWithoutRouter: z.number(),
          macs: z.number(),
          macsWithRouter: z.number(),
          compared: z.strictObject({
            scope: z.enum(['layers', 'attention', 'model']),
            parameters: z.number(),
            parametersWithRouter: z.number(),
            macs: z.number(),
            macsWithRouter: z.number(),
          }),
          attention: z.strictObject({ parameters: z.number(), macs: z.number() }).optional(),
        })
        .nullable(),
      causal: z.boolean(),
      notCausal: z.array(z.strictObject({ path: z.array(z.string()), reason: z.string() })),
    }),
  ),
});
