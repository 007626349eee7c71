import type { Position, SourceRange } from '../../config/configFile';
import type { Preset } from '../../config/presets/preset';
import type { Beside } from '../besideYaml';

/** What a completion reads: the text as it is typed, whether it is YAML or not yet. */
export interface CompletionRequest {
  /** Absolute path; files that are offered are relative to its folder. */
  readonly file: string;
  readonly text: string;
  readonly position: Position;
  readonly beside: Beside;
}

export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** A published model, and the config that it is. */
export interface PresetConfig {
  readonly preset: Preset;
  readonly text: string;
}

/** What a completion looks at besides the text. */
export interface CompletionSources {
  /** What a folder holds; nothing where it cannot be read. */
  listFolder(folder: string): readonly FolderEntry[];
  /** Only asked for in a config that says nothing yet. */
  presets(): readonly PresetConfig[];
}

export type CompletionKind = 'key' | 'section' | 'value' | 'preset' | 'file' | 'folder' | 'rule' | 'comment';

export interface Completion {
  readonly label: string;
  readonly kind: CompletionKind;
  /** What it replaces. */
  readonly range: SourceRange;
  readonly insertText: string;
  /** `insertText` has places to fill in, as snippets of VS Code do. */
  readonly isSnippet: boolean;
  /** A few words behind the label. */
  readonly detail: string;
  /** Markdown. */
  readonly documentation: string;
  /** What is compared with the typed text, where that is not the label. */
  readonly filterText: string;
  /** What comes in this order, before the alphabet. */
  readonly sortText: string;
  /** What is inserted asks for the next word: offer completions again. */
  readonly asksOn: boolean;
}

/** A completion with what most of them have alike. */
export function completion(
  label: string,
  kind: CompletionKind,
  range: SourceRange,
  given: Partial<Omit<Completion, 'label' | 'kind' | 'range'>> = {},
): Completion {
  return {
    label,
    kind,
    range,
    insertText: label,
    isSnippet: false,
    detail: '',
    documentation: '',
    filterText: label,
    sortText: label,
    asksOn: false,
    ...given,
  };
}

/** Text that a snippet takes as it is. */
export function verbatim(text: string): string {
  return text.replace(/[\\$}]/g, '\\$&');
}
