import { headWidth, selections } from '../config/attentionShape';
import type { ModelConfig } from '../config/schema';
import type { ModelCount } from '../models/count';
import type { AttentionSize, ExpertsOfHead, PaperCost, ScriptCost } from './switchHeadCost';
import { authorsScript, paperEquation } from './switchHeadCost';

/** MACs of the attention of one layer over one window, as the graph has them. */
export interface GraphCost {
  readonly macs: number;
  /** Matrices that every token passes. */
  readonly projections: number;
  /** Experts of SwitchHead. */
  readonly experts: number;
  /** The scores of those experts. */
  readonly selections: number;
  /** Scores by content, and the product with the values. */
  readonly core: number;
  /** Relative positions: their projection, and the scores by them. */
  readonly positions: number;
}

/** What the attention of one layer costs over one window, counted three ways. */
export interface AttentionCosts {
  readonly graph: GraphCost;
  /** The equations of 2312.07987; null for attention that they are not about: fewer key and value heads than query heads. */
  readonly paperEquation: PaperCost | null;
  /** The script of its authors; null likewise. */
  readonly authorsScript: ScriptCost | null;
}

/** `count` is that of the model. */
export function attentionCosts(count: ModelCount, model: ModelConfig): AttentionCosts {
  const size = attentionSize(model);
  const moe = expertsOfHead(model);
  return {
    graph: graphCost(count, model),
    paperEquation: size && paperEquation(size, moe),
    authorsScript: size && authorsScript(size, moe),
  };
}

function graphCost({ attention, macsPerToken }: ModelCount, model: ModelConfig): GraphCost {
  const ofWindow = (perToken: number): number => (perToken * model.context) / model.layers;
  const parts = {
    projections: ofWindow(attention.projections),
    experts: ofWindow(attention.experts),
    selections: ofWindow(attention.selections),
    core: ofWindow(macsPerToken.attentionCore),
    positions: ofWindow(macsPerToken.position),
  };
  return { macs: Object.values(parts).reduce((sum, part) => sum + part, 0), ...parts };
}

/** Null where keys and values are shared by heads, of which the equations do not speak. */
function attentionSize(model: ModelConfig): AttentionSize | null {
  const { heads, kv_heads: shared, position } = model.attention;
  if (shared !== undefined && shared !== heads) return null;
  const relative = position === 'xl';
  return { heads, headWidth: headWidth(model), width: model.d_model, time: model.context, chunks: relative ? 2 : 1, relative };
}

function expertsOfHead({ attention: { moe } }: ModelConfig): ExpertsOfHead | undefined {
  return moe && { experts: moe.experts, k: moe.top_k, projections: moe.projections.length, sides: selections(moe) };
}
