import * as z from 'zod';

/** What the measuring process is given, as a line of JSON on its standard input. `experiment` is a resolved one. */
export interface MeasureTask {
  readonly experiment: unknown;
  readonly seconds: number;
}

const figures = z.object({ steps: z.number(), tokens: z.number(), seconds: z.number(), tokensPerSecond: z.number() });

/** A line of JSON on its standard output: progress, and at the end what was measured, or why it was not. */
export const measureLine = z.union([
  z.object({ kind: z.literal('step'), figures }),
  z.object({ kind: z.literal('measured'), figures }),
  z.object({ kind: z.literal('failed'), message: z.string(), advice: z.string() }),
]);
export type MeasureLine = z.infer<typeof measureLine>;
