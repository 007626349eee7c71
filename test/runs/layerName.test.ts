import { expect, it } from 'vitest';
import { layerName } from '../../src/runs/layerName';

it.each([
  ['layers.3.moe', 'layer 3'],
  ['layers.11.product_keys', 'layer 11 retrieval'],
  ['layers.0.attention.source', 'layer 0 attention, source'],
  ['layers.0.attention.destination', 'layer 0 attention, destination'],
  ['layers.1', 'layers.1'],
])('%s is called %s', (name, called) => expect(layerName(name)).toBe(called));
