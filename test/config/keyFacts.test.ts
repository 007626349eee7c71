import { describe, expect, it } from 'vitest';
import { describeKey } from '../../src/config/describeKey';
import { experimentJsonSchema, publishedJsonSchema, type JsonSchema } from '../../src/config/jsonSchema';
import { ruleList } from '../../src/language/ruleList';
import { keyFacts, keyMarkdown } from '../../src/config/keyFacts/keyFacts';

/** Every key that a config may have, sections included. */
function keys(schema: JsonSchema, path: readonly string[] = []): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => [
    [...path, key].join('.'),
    ...keys(property, [...path, key]),
  ]);
}

/** What papers say nothing of, and nothing is computed with. */
const plain = ['name', 'extends', 'lint', 'data', 'data.train', 'engine', 'engine.device', 'engine.threads'];

describe('facts about keys', () => {
  const known = keys(experimentJsonSchema());

  it('are there for every key, and of none that there is not', () => {
    expect(known.length).toBeGreaterThan(100);
    expect(known.filter((path) => keyFacts[path] === undefined)).toEqual([]);
    expect(Object.keys(keyFacts).filter((path) => describeKey(path.split('.')) === undefined)).toEqual([]);
  });

  it('have a formula or a source, where there is any', () => {
    const without = known.filter((path) => keyFacts[path]?.formula === undefined && keyFacts[path]?.source === undefined);
    expect(without.toSorted()).toEqual(plain.toSorted());
    expect(known.filter((path) => keyFacts[path]?.source === undefined).length).toBeLessThan(known.length / 3);
  });

  it('name papers by their numbers where they give a source, and say each effect in sentences', () => {
    for (const [path, { source, effect, formula }] of Object.entries(keyFacts)) {
      expect(effect, path).toMatch(/^[A-Z`a-z].*\.$/);
      expect(formula ?? 'none', path).not.toContain('`');
      if (source !== undefined && path !== 'model.moe.router.importance') expect(source, path).toMatch(/\d{4}\.\d{5}/);
    }
  });

  it('give a hover in Markdown', () => {
    const path = 'model.moe.top_k';
    expect(keyMarkdown('Experts of a unit.', keyFacts[path])).toBe(
      'Experts of a unit. MACs of the experts grow in proportion, parameters stay. At equal MACs expert_width falls as 1 / k.\n\n`n d f k MACs per token`\n\n*Source: 2411.16205 Eq. 6.*',
    );
    expect(keyMarkdown('Only this.', undefined)).toBe('Only this.');
  });

  it('reach other editors through the schema that is published, which keeps its plain descriptions', () => {
    const heads = publishedJsonSchema(ruleList).properties?.['model']?.properties?.['moe']?.properties?.['heads'];
    expect(heads?.description).toBe(`${describeKey(['model', 'moe', 'heads'])?.description ?? ''} Default: 1.`);
    expect(heads?.markdownDescription).toContain('`sub-token width = d / h;');
  });
});
