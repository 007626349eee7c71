import { attentionCases } from './attentionCases';
import { routedLayerCases } from './routedLayerCases';
import { multiHeadCases } from './multiHeadCases';
import { selectionCases } from './selectionCases';
import { balanceCases } from './balanceCases';
import { capacityCases } from './capacityCases';
import { trainingCases } from './trainingCases';
import { positionCases } from './positionCases';
import { attentionExpertCases } from './attentionExpertCases';
import { varyingChoiceCases } from './varyingChoiceCases';
import { productKeyCases } from './productKeyCases';
import type { Case } from './changes';

/** Of every rule. */
export const cases: readonly Case[] = [
  ...attentionCases,
  ...routedLayerCases,
  ...multiHeadCases,
  ...selectionCases,
  ...balanceCases,
  ...capacityCases,
  ...positionCases,
  ...attentionExpertCases,
  ...varyingChoiceCases,
  ...productKeyCases,
  ...trainingCases,
];
