import * as z from 'zod';

/** How far a model is from its baseline, as pages are told it: fractions of the baseline, null where that has none of it. */
export interface ParityFigures {
  /** Without what chooses experts, and with it. */
  readonly parameters: number | null;
  readonly parametersWithRouter: number | null;
  /** MACs per token, alike. */
  readonly macs: number | null;
  readonly macsWithRouter: number | null;
}

/** Both axes, of the part of the models that differs and of the whole models. */
export interface ParityView {
  /** The baseline, as it is called where it is named. */
  readonly baseline: string;
  /** What papers print: `layers` are the feed-forward networks that differ or route, `attention` that of all layers. */
  readonly scope: 'layers' | 'attention' | 'model';
  readonly compared: ParityFigures;
  readonly model: ParityFigures;
}

/**
 * As `parity/comparedPart.ts` says outside of pages, which a test holds them to: what is compared, and the shares beyond which a figure is
 * marked.
 */
export const comparedTitles: Readonly<Record<ParityView['scope'], string>> = {
  layers: 'Layers that differ',
  attention: 'Attention',
  model: 'Whole model',
};
export const costLimits = { macs: 0.02, parameters: 0.05 } as const;

const residual = z.number().nullable();

export const parityFiguresSchema = z.strictObject({
  parameters: residual,
  parametersWithRouter: residual,
  macs: residual,
  macsWithRouter: residual,
}) satisfies z.ZodType<ParityFigures>;

export const parityViewSchema = z.strictObject({
  baseline: z.string(),
  scope: z.enum(['layers', 'attention', 'model']),
  compared: parityFiguresSchema,
  model: parityFiguresSchema,
}) satisfies z.ZodType<ParityView>;
