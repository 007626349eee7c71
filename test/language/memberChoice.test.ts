import { expect, it } from 'vitest';
import { memberChoices } from '../../src/language/memberChoice';
import { load, valid } from '../config/memoryFiles';

it('offers all members, each alone, and the config itself', () => {
  expect(memberChoices(load(`${valid}sweep: { model.moe.top_k: [1, 2] }\n`))).toEqual([
    { label: 'All 2 members', detail: 'One after the other, each a run', members: [0, 1] },
    { label: 'top_k=1', detail: 'Member 1 of 2', members: [0] },
    { label: 'top_k=2', detail: 'Member 2 of 2', members: [1] },
    { label: 'Only the config itself', detail: 'As it is without its sweep', members: [] },
  ]);
  expect(memberChoices(load(valid))).toBeUndefined();
});

it('offers only members without errors, and then not all', () => {
  const choices = memberChoices(load(`${valid}sweep: { model.moe.heads: [2, 3, 4] }\n`));
  expect(choices?.map(({ members }) => members)).toEqual([[0], [2], []]);
});
