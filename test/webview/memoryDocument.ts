import { applyEdits } from '../../src/config/edit/keyEdits';
import type { TextEdit } from '../../src/config/configFile';

/** A text document as an editor keeps one: each edit makes a new version and one step that can be undone. */
export class MemoryDocument {
  version = 1;
  private readonly past: string[] = [];
  private readonly future: string[] = [];

  constructor(
    private current: string,
    private readonly changed: () => void = () => undefined,
  ) {}

  get text(): string {
    return this.current;
  }

  get undoSteps(): number {
    return this.past.length;
  }

  apply(edits: readonly TextEdit[]): void {
    this.type(applyEdits(this.current, edits));
  }

  /** What somebody makes of the text by hand. */
  type(text: string): void {
    this.past.push(this.current);
    this.future.length = 0;
    this.become(text);
  }

  undo(): void {
    const before = this.past.pop();
    if (before === undefined) return;
    this.future.push(this.current);
    this.become(before);
  }

  redo(): void {
    const after = this.future.pop();
    if (after === undefined) return;
    this.past.push(this.current);
    this.become(after);
  }

  private become(text: string): void {
    this.current = text;
    this.version++;
    this.changed();
  }
}
