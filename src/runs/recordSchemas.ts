import * as z from 'zod';
import { failureCauses, type EventLine, type MetricsLine, type RunDescription, type RunFailure, type RunStatus } from './format';

/** What a reader insists on; fields it does not know pass, ones it can do without may be missing or unreadable. */

const jsonNumber = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
const step = z.int().nonnegative();

const metricsSchema = z.object({
  step,
  time: z.number().default(0),
  tokens: z.number().default(0),
  train: z
    .object({
      loss: jsonNumber,
      crossEntropy: jsonNumber,
      balance: jsonNumber.exactOptional(),
      zLoss: jsonNumber.exactOptional(),
      dropRate: jsonNumber.exactOptional(),
      meanK: jsonNumber.exactOptional(),
      kShares: z.array(z.number()).exactOptional(),
      expertUsage: jsonNumber.exactOptional(),
      idleExperts: z
        .object({ layer: z.string(), experts: z.int().positive(), idle: z.int().nonnegative(), steps: z.int().positive() })
        .exactOptional(),
    })
    .exactOptional(),
  validation: z
    .record(
      z.string(),
      z.object({
        loss: jsonNumber,
        perplexity: jsonNumber,
        bitsPerByte: jsonNumber.exactOptional(),
        dropRate: jsonNumber.exactOptional(),
        meanK: jsonNumber.exactOptional(),
        expertUsage: jsonNumber.exactOptional(),
        unevenness: jsonNumber.exactOptional(),
      }),
    )
    .exactOptional(),
  learningRate: z.number().exactOptional(),
  gradientNorm: jsonNumber.exactOptional(),
  tokensPerSecond: z.number().exactOptional(),
});

const eventSchema = z.object({
  time: z.string(),
  step,
  kind: z.enum(['started', 'resumed', 'checkpoint', 'stopped', 'finished', 'failed', 'warning']),
  message: z.string().default(''),
});

/** -1: from before the first validation, which has step 0. */
const rewindSchema = z.object({ rewind: z.int().min(-1) });

const statusSchema = z.object({
  schemaVersion: z.literal(1),
  state: z.enum(['starting', 'running', 'stopping', 'finished', 'stopped', 'failed']),
  step,
  totalSteps: z.int().nonnegative(),
  failure: z
    .object({ message: z.string(), advice: z.string().default(''), step, cause: z.string().exactOptional() })
    .transform(({ cause, ...failure }): RunFailure => {
      // A later version may know more of them.
      const known = failureCauses.find((one) => one === cause);
      return known === undefined ? failure : { ...failure, cause: known };
    })
    .nullable()
    .default(null),
  host: z.string(),
  bootId: z.string(),
  pid: z.int(),
  heartbeat: z.string(),
  address: z.object({ path: z.string(), token: z.string() }).nullable().default(null),
});

const descriptionSchema = z.object({
  schemaVersion: z.literal(1),
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  configFile: z.string(),
  configSource: z.string(),
  experiment: z.unknown(),
  totalSteps: z.int().nonnegative(),
  git: z.object({ commit: z.string(), dirty: z.boolean() }).nullable().default(null),
  seed: z.number(),
  data: z.array(z.object({ name: z.string(), files: z.array(z.string()), bytes: z.number(), sha256: z.string() })).default([]),
  engine: z.object({
    device: z.string(),
    threads: z.number(),
    candidates: z.array(z.object({ device: z.string(), reason: z.string() })).default([]),
  }),
  launch: z.array(z.object({ rung: z.string(), executable: z.string(), chosen: z.boolean(), reason: z.string() })).default([]),
  parameters: z.object({ total: z.number(), active: z.number(), activeIsUpperBound: z.boolean().exactOptional() }),
  macsPerToken: z.number(),
  cost: z.unknown().exactOptional(),
  sweep: z.object({ member: z.string(), changes: z.record(z.string(), z.unknown()), follows: z.string().exactOptional() }).exactOptional(),
  varyingK: z.object({ counted: z.number(), macsPerChoice: z.number() }).nullable().default(null),
  routedLayers: z
    .array(
      z.object({
        name: z.string(),
        experts: z.int().positive(),
        k: z.number(),
        unitsPerToken: z.number(),
        heads: z.int().positive().exactOptional(),
      }),
    )
    .default([]),
  /** Runs of before 0.2.0 have none. */
  retrievals: z.array(z.object({ name: z.string(), experts: z.int().positive(), k: z.number() })).default([]),
  versions: z.object({ moeLab: z.string(), node: z.string(), onnxruntime: z.string() }),
});

function parser<T>(schema: z.ZodType<T>): (value: unknown) => T | undefined {
  return (value) => {
    const result = schema.safeParse(value);
    return result.success ? result.data : undefined;
  };
}

export const parseMetrics = parser<MetricsLine>(metricsSchema);
export const parseEvent = parser<EventLine>(eventSchema);
export const parseStatus = parser<RunStatus>(statusSchema);
export const parseDescription = parser<RunDescription>(descriptionSchema);

/** The step of a `{"rewind": step}` line; undefined if it is another line. */
export function parseRewind(value: unknown): number | undefined {
  const result = rewindSchema.safeParse(value);
  return result.success ? result.data.rewind : undefined;
}
