import { ruleCodes, type RuleCode } from '../config/ruleCodes';
import { parityRules } from '../parity/rules/parityRules';
import { environmentRules } from './environmentRules';

/** Every named rule there is: each has a page, and a severity that can be set where it is advisory. */
export const ruleList: readonly RuleCode[] = [
  ...ruleCodes,
  {
    code: 'parity-invalid',
    severity: 'warning',
    summary: 'the baseline has errors, so there is nothing to compare with',
    advisory: true,
    environment: true,
  },
  ...parityRules.map(({ code, severity, summary }) => ({ code, severity, summary, advisory: severity !== 'error' })),
  ...environmentRules.map((rule) => ({ ...rule, advisory: true, environment: true })),
];
