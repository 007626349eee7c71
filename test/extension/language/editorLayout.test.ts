import { describe, expect, test } from 'vitest';
import { withShare, type EditorLayout } from '../../../src/extension/language/editorLayout';

describe('the share of an editor group', () => {
  test('is taken from the group before it, wherever in the grid the two stand', () => {
    const below: EditorLayout = { orientation: 1, groups: [{ size: 400 }, { size: 400 }] };
    expect(withShare(below, 2, 0.25)).toEqual({ orientation: 1, groups: [{ size: 600 }, { size: 200 }] });
    const beside: EditorLayout = {
      orientation: 0,
      groups: [{ size: 300 }, { size: 500, groups: [{ size: 450 }, { size: 350 }] }, { size: 200 }],
    };
    expect(withShare(beside, 3, 0.25).groups).toEqual([
      { size: 300 },
      { size: 500, groups: [{ size: 600 }, { size: 200 }] },
      { size: 200 },
    ]);
  });

  test('stays where there is no group before it, or no sizes are told', () => {
    const layouts: readonly EditorLayout[] = [
      { groups: [{ size: 300 }, { size: 500 }] },
      { groups: [{ groups: [{ size: 1 }, { size: 1 }] }] },
      { groups: [{}, {}] },
      { groups: [] },
    ];
    for (const layout of layouts) expect(withShare(layout, 1, 0.25)).toEqual(layout);
    expect(withShare({ groups: [{}, {}] }, 2, 0.25)).toEqual({ groups: [{}, {}] });
    expect(withShare({ groups: [{ size: 1 }] }, 9, 0.25)).toEqual({ groups: [{ size: 1 }] });
  });
});
