import { describe, expect, it } from 'vitest';
import { WrongUse } from '../../src/cli/command';
import { membersToTrain } from '../../src/cli/sweepMembers';
import { ConfigRejected } from '../../src/worker/runFailure';
import { load, valid } from '../config/memoryFiles';

describe('which members of a sweep are trained', () => {
  const family = load(`${valid}sweep: { model.moe.top_k: [1, 2, 4] }\n`);

  it('all, or the one that --member numbers or names', () => {
    expect(membersToTrain(family, undefined)).toEqual([0, 1, 2]);
    expect(membersToTrain(family, '2')).toEqual([1]);
    expect(membersToTrain(family, 'top_k=4')).toEqual([2]);
    expect(membersToTrain(load(valid), undefined)).toBeUndefined();
  });

  it('says which there are', () => {
    expect(() => membersToTrain(family, '4')).toThrow(
      new WrongUse('There is no member 4; the sweep has 1 (top_k=1), 2 (top_k=2), 3 (top_k=4).'),
    );
    expect(() => membersToTrain(family, '0')).toThrow(WrongUse);
    expect(() => membersToTrain(load(valid), '1')).toThrow(/has no sweep/);
  });

  it('refuses a family with a member that has errors, and a sweep that is not understood, but not another member', () => {
    const broken = load(`${valid}sweep: { model.moe.heads: [2, 3] }\n`);
    expect(() => membersToTrain(broken, undefined)).toThrow(ConfigRejected);
    expect(() => membersToTrain(broken, '2')).toThrow(ConfigRejected);
    expect(membersToTrain(broken, '1')).toEqual([0]);
    expect(() => membersToTrain(load(`${valid}sweep: { model.moe.heads: [] }\n`), undefined)).toThrow(ConfigRejected);
    expect(() => membersToTrain(load(`${valid}sweep: all\n`), undefined)).toThrow(ConfigRejected);
  });
});
