import type { ConfigEditorRequest, DocumentChange, FieldPath } from '../../src/extension/panels/configEditor-protocol';
import type { ConfigEditorAction } from './state';

/** What the parts of the page can ask for. */
export interface PageActions {
  readonly dispatch: (action: ConfigEditorAction) => void;
  /** Changes the document, after what was asked before; settles with whether it was done; why not has then been shown. */
  readonly change: (change: DocumentChange, path?: FieldPath) => Promise<boolean>;
  readonly solve: () => void;
  /** Something that changes nothing. */
  readonly request: (request: Exclude<ConfigEditorRequest, { readonly kind: 'change' | 'solve' }>) => void;
  readonly revealFinding: (index: number) => void;
}

/** What its fields and findings can, besides. */
export interface PartActions extends PageActions {
  /** Asks the solver, and shows where it answers. */
  readonly findSizes: () => void;
}
