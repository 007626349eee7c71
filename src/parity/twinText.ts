import { causality } from '../config/causality';
import { choicesOfWholeSum, resultingExperts } from '../config/moeShape';
import type { Experiment, MoeConfig, ModelConfig } from '../config/schema';

/** Where a twin with a fixed k is a poor control for its subject, a sentence each. */
export function twinCautions(subject: Experiment, twin: Experiment): readonly string[] {
  const { model } = twin;
  const cautions: string[] = [];
  // Of a single expert there is nothing to learn either way.
  if (model.moe?.top_k === 1 && model.moe.router.renormalize && resultingExperts(model, model.moe).experts > 1) {
    cautions.push(
      'with k = 1 and `renormalize: true` its only weight is always 1, so that its router learns nothing from the cross-entropy; say `renormalize: false` in both models, or give the twin `top_k: 2`.',
    );
  }
  const [before, after] = [causality(subject), causality(twin)];
  if (before.causal !== after.causal) {
    const [which, { reasons }] = before.causal ? (['The twin', after] as const) : (['Its subject', before] as const);
    const keys = reasons.map(({ path }) => `\`${path.at(-1) ?? ''}\``).join(' and ');
    cautions.push(
      `${which} is not causal, by ${keys}, and the other one is, so their perplexities are not comparable; remove ${keys} in both models.`,
    );
  }
  return cautions;
}

/** A caution by itself. */
export function poorControl(caution: string): string {
  return `A poor control: ${caution}`;
}

/** `takes 3.30 on average (measured in the run X)`: what the subject does where the twin has its fixed k. */
export function averageText(
  { k, measured }: { readonly k: number; readonly measured: string | null },
  model: ModelConfig,
  moe: MoeConfig,
): string {
  if (measured !== null) return `takes ${k.toFixed(2)} on average (measured ${measured})`;
  const all = choicesOfWholeSum(model, moe);
  if (all !== undefined) return `takes ${all} too, as many as it may, because only all experts reach \`top_p: ${moe.router.top_p}\``;
  return `is meant to take ${k.toFixed(2)} on average, its top_k`;
}

/** Wrapped at words. A name may have any characters: none of them ends the comment. */
export function comment(text: string): string {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(/[\s\u0085]+/)) {
    if (line.length + 1 + word.length > 100 && line !== '#') {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

function digits(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** `1,234,567 MACs per token, 3.10 % more than its 1,197,446 at that mean.` */
export function costSentence(twin: number, mean: number): string {
  const text = Math.abs(100 * (twin / mean - 1)).toFixed(2);
  if (Number(text) === 0) return `${digits(twin)} MACs per token, as many as at that mean.`;
  return `${digits(twin)} MACs per token, ${text} % ${twin > mean ? 'more' : 'fewer'} than the ${digits(mean)} at that mean.`;
}
