import type {
  ChoiceView,
  ConfigEditorToWebview,
  ConfigEditorUiState,
  ConfigEditorUpdate,
  FieldPath,
  FieldView,
  FindingView,
  SectionView,
  SolveTarget,
} from '../../src/extension/panels/configEditor-protocol';

/** What a model costs, in figures and drawn. */
export type CountedModel = Pick<ConfigEditorUpdate, 'cost' | 'parity' | 'family' | 'diagram'>;

export type UiChoices = Omit<ConfigEditorUiState, 'schemaVersion'>;

export interface ConfigEditorState {
  readonly connection: 'connecting' | 'connected' | 'versionMismatch';
  /** The newest; null before the first. */
  readonly update: ConfigEditorUpdate | null;
  /** The newest that the document could be read as; while it is broken, read-only. */
  readonly sections: readonly SectionView[];
  /** Of the same text as `sections`, so that it does not come and go with each keystroke that breaks the text for a moment. */
  readonly counted: CountedModel;
  /** Why the last text of a field was not taken, by dotted path. */
  readonly refusals: ReadonlyMap<string, string>;
  readonly notice: { readonly message: string; readonly advice: string } | null;
  /** What the solver said about the version that is shown; `asking` while it is at it. */
  readonly choices: readonly ChoiceView[] | 'asking' | null;
  readonly target: SolveTarget;
  readonly ui: UiChoices;
}

export type ConfigEditorAction =
  | { readonly type: 'message'; readonly message: ConfigEditorToWebview }
  | { readonly type: 'ui'; readonly ui: Partial<UiChoices> }
  | { readonly type: 'fold'; readonly section: string; readonly folded: boolean }
  | { readonly type: 'target'; readonly target: SolveTarget }
  | { readonly type: 'choices'; readonly choices: ConfigEditorState['choices'] }
  /** `reason` null: the field is as it should be. */
  | { readonly type: 'refused'; readonly path: FieldPath; readonly reason: string | null }
  | { readonly type: 'stale' }
  | { readonly type: 'notice'; readonly message: string; readonly advice: string };

export function initialState(saved: ConfigEditorUiState | null): ConfigEditorState {
  const { folded, filter, statedOnly } = saved ?? { folded: {}, filter: '', statedOnly: false };
  return {
    connection: 'connecting',
    update: null,
    sections: [],
    counted: { cost: null, parity: null, family: null, diagram: null },
    refusals: new Map(),
    notice: null,
    choices: null,
    target: 'both',
    ui: { folded, filter, statedOnly },
  };
}

export function reduce(state: ConfigEditorState, action: ConfigEditorAction): ConfigEditorState {
  switch (action.type) {
    case 'message':
      return receive(state, action.message);
    case 'ui':
      return { ...state, ui: { ...state.ui, ...action.ui } };
    case 'fold':
      return { ...state, ui: { ...state.ui, folded: { ...state.ui.folded, [action.section]: action.folded } } };
    case 'target':
      return { ...state, target: action.target, choices: null };
    case 'choices':
      return { ...state, choices: action.choices };
    case 'refused':
      return { ...state, notice: null, refusals: withRefusal(state.refusals, action.path, action.reason) };
    case 'stale':
      return { ...state, notice: staleNotice };
    case 'notice':
      return { ...state, notice: { message: action.message, advice: action.advice } };
  }
}

const staleNotice = {
  message: 'The text has changed meanwhile, so this was not done.',
  advice: 'The form shows the text as it is now; do it again if you still want it.',
};

function withRefusal(refusals: ConfigEditorState['refusals'], path: FieldPath, reason: string | null): ConfigEditorState['refusals'] {
  const changed = new Map(refusals);
  if (reason === null) changed.delete(dotted(path));
  else changed.set(dotted(path), reason);
  return changed;
}

function receive(state: ConfigEditorState, message: ConfigEditorToWebview): ConfigEditorState {
  switch (message.type) {
    case 'welcome':
      return { ...state, connection: 'connected', notice: null };
    case 'versionMismatch':
      return { ...state, connection: 'versionMismatch' };
    case 'update':
      return updated(state, message);
    case 'response':
    case 'error':
      return state;
  }
}

function updated(state: ConfigEditorState, update: ConfigEditorUpdate): ConfigEditorState {
  const otherText = update.version !== state.update?.version;
  const sections = update.sections ?? state.sections;
  return {
    ...state,
    update,
    sections,
    counted: update.broken === null ? update : state.counted,
    choices: otherText ? null : state.choices,
    // What a field says now may be another matter.
    refusals: otherText ? keptRefusals(state, sections) : state.refusals,
  };
}

/** A refusal stays while its field says what it said when the text was refused. */
function keptRefusals(state: ConfigEditorState, sections: readonly SectionView[]): ConfigEditorState['refusals'] {
  const before = valuesOf(state.sections);
  const now = valuesOf(sections);
  return new Map([...state.refusals].filter(([path]) => before.get(path) === now.get(path)));
}

function valuesOf(sections: readonly SectionView[]): ReadonlyMap<string, string> {
  return new Map(sections.flatMap(({ fields }) => fields.map(({ path, value }) => [dotted(path), value] as const)));
}

export function dotted(path: FieldPath): string {
  return path.join('.');
}

/** A finding with its place among the update's, which requests name it by. */
export interface NumberedFinding extends FindingView {
  readonly index: number;
}

/** Findings by the dotted path that they are shown at; those without a place in the form under null. */
export function findingsByPath(state: ConfigEditorState): ReadonlyMap<string | null, readonly NumberedFinding[]> {
  const known = new Set(state.sections.flatMap(({ path, fields }) => [dotted(path), ...fields.map((field) => dotted(field.path))]));
  const byPath = new Map<string | null, NumberedFinding[]>();
  for (const [index, finding] of (state.update?.findings ?? []).entries()) {
    const path = finding.path === null || !known.has(dotted(finding.path)) ? null : dotted(finding.path);
    byPath.set(path, [...(byPath.get(path) ?? []), { ...finding, index }]);
  }
  return byPath;
}

/** Whether the document can be changed by the form now. */
export function isReadOnly({ update, connection }: ConfigEditorState): boolean {
  return connection === 'versionMismatch' || update === null || update.broken !== null || update.readOnly;
}

/** The fields of a section that the filter lets through. */
export function shownFields(
  state: ConfigEditorState,
  { fields }: SectionView,
  findings: ReadonlyMap<string | null, unknown>,
): readonly FieldView[] {
  const { statedOnly } = state.ui;
  const words = state.ui.filter.toLowerCase().split(/\s+/).filter(Boolean);
  return fields.filter(({ path, description, origin }) => {
    const text = `${dotted(path)} ${description}`.toLowerCase();
    const matches = words.every((word) => text.includes(word));
    return matches && (!statedOnly || origin.kind === 'stated' || findings.has(dotted(path)));
  });
}

/** Open are the sections that the document says something in, or that somebody looks for; the user's own choice goes before. */
export function isFolded(state: ConfigEditorState, section: SectionView, findings: ReadonlyMap<string | null, unknown>): boolean {
  if (state.ui.filter.trim() !== '') return false;
  const chosen = state.ui.folded[dotted(section.path)];
  if (chosen !== undefined) return chosen;
  return !section.fields.some(({ path, origin }) => origin.kind === 'stated' || findings.has(dotted(path)));
}

export function savedState(state: ConfigEditorState): ConfigEditorUiState {
  return { schemaVersion: 1, ...state.ui };
}
