import type { Position, SourceRange } from '../config/configFile';
import type { Beside } from './besideYaml';

/** What a completion reads: the text as it is typed, whether it is YAML or not yet. */
export interface CompletionRequest {
  /** Absolute path; files that are offered are relative to its folder. */
  readonly file: string;
  readonly text: string;
  readonly position: Position;
  readonly beside: Beside;
}

/** The disk, as far as a completion looks at it. */
export interface CompletionSources {
  /** What a folder holds; nothing where it cannot be read. */
  listFolder(folder: string): readonly { readonly name: string; readonly isFolder: boolean }[];
}

export interface Completion {
  readonly label: string;
  readonly kind: 'key' | 'section' | 'value' | 'preset' | 'file' | 'folder' | 'rule';
  /** What it replaces. */
  readonly range: SourceRange;
  readonly insertText: string;
  /** `insertText` has places to fill in, as snippets of VS Code do. */
  readonly isSnippet: boolean;
  /** A few words behind the label. */
  readonly detail: string;
  readonly documentation: string;
  /** What is in this order before the alphabet. */
  readonly sortText: string;
}

/** What can stand at a place, best first. Never throws, whatever the text. */
export function completionsAt(_request: CompletionRequest, _sources: CompletionSources): readonly Completion[] {
  return [];
}
