import { causality } from '../causality';
import { choicesVary } from '../moeShape';
import { atKey, atValue } from '../pathFinding';
import type { Experiment } from '../schema';
import { changing, mended, removing, set, setting } from './remedies';
import type { Rule } from './rule';
import { routerPath, violation } from './rule';

const consequence = "so this model's perplexity cannot be compared with that of a causal one";

/** A masked model says so by its objective, and nobody takes its perplexity for a causal one's. */
export const notCausal: Rule = {
  code: 'not-causal',
  severity: 'warning',
  summary:
    'outputs depend on later tokens: `select: expert_choice`, `budget`, or `capacity_in_evaluation` with `first_choice` and more than one choice',
  check({ experiment }) {
    const causes = causality(experiment).reasons.map(({ cause }) => cause);
    if (causes.includes('masked')) return undefined;
    if (causes.includes('expert-choice')) {
      return mended(
        violation(
          `With \`select: expert_choice\` whether an expert takes a token depends on later tokens, ${consequence}; use \`select: top_k\` for that.`,
          atValue(...routerPath, 'select'),
        ),
        changing(
          'Let tokens choose: set router.select to top_k and router.balance to gshard_first',
          set([...routerPath, 'select'], 'top_k'),
          set([...routerPath, 'balance'], 'gshard_first'),
        ),
      );
    }
    // An importance that later tokens take part in is refused by a rule of its own.
    if (causes.includes('importance')) return undefined;
    if (causes.includes('budget')) {
      return mended(
        violation(
          `With \`budget\` how many experts a token gets depends on how important later tokens are, ${consequence}; remove it for that.`,
          atKey(...routerPath, 'budget'),
          atValue(...routerPath, 'select'),
        ),
        removing([...routerPath, 'budget']),
      );
    }
    if (!causes.includes('capacity')) return undefined;
    return mended(
      violation(
        `With \`capacity_in_evaluation\`, \`capacity_priority: first_choice\` and ${choices(experiment)}, the first choices of later tokens displace the other choices of earlier ones, ${consequence}; use \`capacity_priority: position\`, or remove \`capacity_in_evaluation\`.`,
        atKey(...routerPath, 'capacity_in_evaluation'),
        atKey(...routerPath, 'capacity_priority'),
        atValue('model', 'moe', 'top_k'),
      ),
      setting([...routerPath, 'capacity_priority'], 'position'),
      removing([...routerPath, 'capacity_in_evaluation']),
    );
  },
};

function choices({ model: { moe } }: Experiment): string {
  if (moe === undefined) return '';
  return choicesVary(moe) ? `more than one expert for some units` : `\`top_k\` ${moe.top_k}`;
}
