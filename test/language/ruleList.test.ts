import { describe, expect, it } from 'vitest';
import { ruleSentence } from '../../src/config/ruleCodes';
import { experimentJsonSchema, type JsonSchema } from '../../src/config/jsonSchema';
import { ruleList } from '../../src/language/ruleList';

/** Names of keys as they are spelt in configs. */
function keyNames(schema: JsonSchema): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => [key, ...keyNames(property)]);
}

describe('what rules say in lists, in hovers and in SARIF', () => {
  it.each(ruleList.map((rule) => [rule.code, rule] as const))('is a sentence that spells no key with a capital: %s', (_, rule) => {
    const sentence = ruleSentence(rule);
    expect(sentence).toMatch(/^(?:[A-Z]|`[a-z]).*[^.]\.$/);
    const [first = ''] = sentence.split(/[ ,:]/);
    // `A`, `MACs`, `Training` are words; keys stand in backticks, as they are spelt.
    const underscored = new Set(keyNames(experimentJsonSchema()).filter((key) => key.includes('_')));
    expect(underscored.has(first.toLowerCase()), sentence).toBe(false);
    const outside = sentence.replaceAll(/`[^`]*`/g, '');
    expect(outside, sentence).not.toMatch(/\w_\w/);
  });
});
