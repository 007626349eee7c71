/**
 * A grid of editor groups, as `vscode.getEditorLayout` tells it and `vscode.setEditorLayout` takes it: rows in columns in rows, and so on.
 */
export interface EditorLayout {
  /** 0: its groups stand beside each other; 1: below each other. Those within them the other way. */
  readonly orientation?: number;
  readonly groups: readonly EditorGroupNode[];
}

interface EditorGroupNode {
  /** Along the direction of its parent; pixels, or shares. */
  readonly size?: number;
  readonly groups?: readonly EditorGroupNode[];
}

/**
 * The layout with the group `column` (counted from 1, in the order of reading, as editor columns are) as `share` of the room that it and
 * the one before it in the same row or column have together. The layout itself where nothing stands before it, or its sizes are not told.
 */
export function withShare(layout: EditorLayout, column: number, share: number): EditorLayout {
  return { ...layout, groups: shared(layout.groups, column, share) };
}

function shared(groups: readonly EditorGroupNode[], column: number, share: number): readonly EditorGroupNode[] {
  let first = 1;
  for (const [index, group] of groups.entries()) {
    const next = first + leaves(group);
    if (column < next) {
      const { groups: within } = group;
      if (within !== undefined && within.length > 0)
        return groups.with(index, { ...group, groups: shared(within, column - first + 1, share) });
      const before = groups[index - 1];
      if (before?.size === undefined || group.size === undefined) return groups;
      const room = before.size + group.size;
      return groups.with(index - 1, { ...before, size: room * (1 - share) }).with(index, { ...group, size: room * share });
    }
    first = next;
  }
  return groups;
}

function leaves({ groups = [] }: EditorGroupNode): number {
  return groups.length === 0 ? 1 : groups.reduce((sum, group) => sum + leaves(group), 0);
}
