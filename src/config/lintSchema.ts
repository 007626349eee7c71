import * as z from 'zod';

/** What a rule may be set to. */
export const ruleSeverities = ['off', 'information', 'warning', 'error'] as const;
export type RuleSeverity = (typeof ruleSeverities)[number];
/** By code; what is not named keeps its own. */
export type RuleSeverities = Readonly<Record<string, RuleSeverity>>;

/** It changes only what is shown: an experiment has none. */
export const lintSchema = z
  .record(z.string().min(1), z.enum(ruleSeverities))
  .describe(
    'How severe the findings of rules are in this config: a mapping of codes, as in `ample-capacity: off`. Only warnings and informations can be set; errors stay. It changes what is shown, never what is counted or trained. Say why in a comment beside it.',
  );
