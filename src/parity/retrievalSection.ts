import type { CountedPreset } from './countedPreset';
import { retrievalCost } from './retrievalCost';
import { digits, markdownTable, modelCell } from './tableText';

/** PEER and PKM in docs/parity-table.md: their layer by its graph and by the equations; nothing where no model has product keys. */
export function retrievalSection(models: readonly CountedPreset[]): string[] {
  const rows = models.flatMap(({ preset, model, layer }) => {
    const keys = model.product_keys;
    if (keys === undefined) return [];
    const { experts, queries, subKeys } = retrievalCost(keys, model.d_model);
    const same = (counted: number, expected: number): string =>
      counted === expected ? digits(counted) : `**${digits(counted)}**, not ${digits(expected)}`;
    return [
      [
        modelCell(preset),
        digits(keys.experts),
        `${keys.heads} * ${keys.top_k}`,
        same(layer.parameters, experts.parameters),
        same(layer.routerParameters, queries.parameters + subKeys.parameters),
        same(layer.macsPerToken, experts.macs),
        digits(queries.macs),
        digits(subKeys.macs),
        same(layer.routerMacsPerToken, queries.macs + subKeys.macs),
      ],
    ];
  });
  if (rows.length === 0) return [];
  const head = ['model', 'N', 'h * k', 'expert parameters', 'queries and sub-keys', 'expert MACs', 'query MACs', 'sub-key MACs', 'both'];
  return [text, markdownTable(head, rows), ''];
}

const text = `The layer that retrieves, per token: 2 N d parameters of experts (PKM N d), of which a token uses at most 2 h k d, and d h w + sqrt(N) w of queries of width
w and sub-keys; 2 h k d MACs of experts (PKM h k d), d h w of queries and h sqrt(N) w of their products with the sub-keys. The graph has as many; a figure that it
had not would stand here in bold:
`;
