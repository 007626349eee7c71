import { experimentSchema, type Experiment } from '../config/schema';
import { semanticFindings } from '../config/semanticRules';
import type { KeyPath } from '../config/yamlTree';
import type { ModelCount } from '../models/count';
import { modelCost } from '../parity/closedForm/modelCost';
import { comparedResiduals, comparedTitles } from '../parity/comparedPart';
import { formatAmount, formatResidual } from '../parity/formatCount';
import { valueAt, withValue } from '../config/keyValues';
import type { HintedConfig } from './inlayHints';
import { valuesAround } from './otherValues';

/**
 * Markdown: what a model would cost with other values of a key, and how far it would then be from its baseline. By closed form: no program
 * is built. Undefined where no value changes the cost.
 */
export function effectTable(config: HintedConfig, path: KeyPath): string | undefined {
  const { experiment } = config.loaded;
  const { count, baseline } = config;
  if (experiment === undefined || count === undefined || path[0] !== 'model') return undefined;
  const current = valueAt(experiment, path);
  const rows = valuesAround(experiment, path)
    .map((value) => ({ value, changed: withValue(experiment, path, value) }))
    .filter(({ value, changed }) => value === current || isValid(changed))
    .map(({ value, changed: { model } }) => ({ value, cost: value === current ? count : modelCost(model) }));
  const changes = rows.some(
    ({ cost }) => cost.parameters.total !== count.parameters.total || cost.macsPerToken.total !== count.macsPerToken.total,
  );
  if (!changes) return undefined;
  const { of, residualsOf } = comparison(
    count,
    baseline?.count,
    rows.map(({ cost }) => cost),
  );
  const lines = rows.map(({ value, cost }) => {
    const { parameters, macs } = residualsOf(cost);
    const cells = [
      formatAmount(cost.parameters.total),
      formatAmount(cost.macsPerToken.total),
      formatResidual(parameters),
      formatResidual(macs),
    ];
    return `| ${[shown(value, value === current), ...cells].join(' | ')} |`;
  });
  const versus = baseline === undefined ? 'now' : `\`${baseline.name}\``;
  return [
    `| \`${path.at(-1) ?? ''}\` | parameters | MACs/token | parameters vs ${versus} | MACs vs ${versus} |`,
    '|---|---:|---:|---:|---:|',
    ...lines,
    '',
    `*Residuals: ${of.toLowerCase()}, router included.*`,
  ].join('\n');
}

/** Without a baseline a change is held against the model as it is. Of the part that differs, where that is the same for every row. */
function comparison(count: ModelCount, baseline: ModelCount | undefined, costs: readonly ModelCount[]) {
  const scopes = new Set(baseline === undefined ? [] : costs.map((cost) => comparedResiduals(cost, baseline).scope));
  const [scope] = scopes;
  if (baseline === undefined || scope === undefined || scopes.size > 1) {
    const theirs = baseline ?? count;
    const residualsOf = ({ parameters, macsPerToken }: ModelCount) => ({
      parameters: parameters.total / theirs.parameters.total - 1,
      macs: macsPerToken.total / theirs.macsPerToken.total - 1,
    });
    return { of: comparedTitles.model, residualsOf };
  }
  const residualsOf = (cost: ModelCount) => {
    const { parametersWithRouter: parameters, macsWithRouter: macs } = comparedResiduals(cost, baseline);
    return { parameters, macs };
  };
  return { of: comparedTitles[scope], residualsOf };
}

function shown(value: string | number | boolean, isCurrent: boolean): string {
  return isCurrent ? `**${value}**` : `${value}`;
}

/** Whether it could be counted and trained: by the schema, and by the rules that look at keys together. */
function isValid(experiment: Experiment): boolean {
  if (!experimentSchema.safeParse(experiment).success) return false;
  return semanticFindings(experiment, experiment).every(({ severity }) => severity !== 'error');
}
