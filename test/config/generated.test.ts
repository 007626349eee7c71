import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { configReference } from '../../src/config/configReference';
import { publishedJsonSchema } from '../../src/config/jsonSchema';
import { ruleList } from '../../src/language/ruleList';

// `npm run generate` runs this file with --update, which writes both files anew.
it('media/moe.schema.json is what the schema says', async () => {
  const file = 'media/moe.schema.json';
  const text = await format(JSON.stringify(publishedJsonSchema(ruleList)), { ...(await resolveConfig(file)), parser: 'json' });
  await expect(text).toMatchFileSnapshot(`../../${file}`);
});

it('docs/config.md is what the schema says', async () => {
  await expect(configReference()).toMatchFileSnapshot('../../docs/config.md');
});
