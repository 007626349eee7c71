import { describe, expect, it } from 'vitest';
import { notificationText } from '../../src/extension/notificationText';

/** How VS Code finds links in the text of a notification (src/vs/base/common/linkedText.ts). */
const link = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^\)\s]+)(?: (["'])(.+?)(\3))?\)/i;

describe('the text of a notification', () => {
  it('makes no link of what a run or a config is called', () => {
    const name = '[Open Log](command:workbench.action.terminal.new) [[x]](https://example.com)';
    expect(name).toMatch(link);
    expect(notificationText(`${name} failed at step 3: a list [1] (of one).`)).not.toMatch(link);
    expect(notificationText('SMoE failed at step 3: a list [1] (of one).')).toBe('SMoE failed at step 3: a list [1] (of one).');
  });
});
