import * as z from 'zod';
import { parityFiguresSchema, parityViewSchema, type ParityFigures, type ParityView } from './parity-protocol';

/**
 * Every message between the extension host and a config editor's webview: one union per direction, checked by zod at both ends.
 *
 * The webview says `ready`; the host answers with `welcome` and the document as a form, and says it again whenever the document, or what it
 * extends or is compared with, has changed. What the user does is a request that carries the version of the document that was shown: the
 * host refuses one about another version, and says the form again. A form is some tens of kilobytes, so each message carries all of it.
 */

/** Both ends state it when they meet; they talk only if it is equal. */
export const CONFIG_EDITOR_PROTOCOL_VERSION = 1;

/** Keys from the top of the config: `['model', 'moe', 'heads']`. */
export type FieldPath = readonly string[];

// ---- webview -> host

/** What changes the document: one undo step each. */
export type DocumentChange =
  /** Text as the field is edited; an empty one takes the value away. */
  | { readonly kind: 'set'; readonly path: FieldPath; readonly text: string }
  /** The key is no longer stated: what a base says holds, or the default. */
  | { readonly kind: 'reset'; readonly path: FieldPath }
  | { readonly kind: 'addSection'; readonly path: FieldPath }
  | { readonly kind: 'removeSection'; readonly path: FieldPath }
  /** A fix of a finding, by their places in the form that was shown. */
  | { readonly kind: 'fix'; readonly finding: number; readonly fix: number }
  /** Numbers that the solver has given. */
  | { readonly kind: 'solved'; readonly changes: Readonly<Record<string, number>> };

export type ConfigEditorRequest =
  | { readonly kind: 'change'; readonly version: number; readonly change: DocumentChange }
  /** Choices that bring the model to the cost of its baseline. */
  | { readonly kind: 'solve'; readonly version: number; readonly target: SolveTarget }
  /** Takes the user to where the key is stated, in the text or in that of a base. */
  | { readonly kind: 'revealKey'; readonly path: FieldPath }
  | { readonly kind: 'revealFinding'; readonly version: number; readonly finding: number }
  /** Takes the user to where the text is broken. */
  | { readonly kind: 'revealBroken' }
  | { readonly kind: 'showText' }
  | { readonly kind: 'showRule'; readonly code: string };

export const solveTargets = ['both', 'macs', 'parameters'] as const;
export type SolveTarget = (typeof solveTargets)[number];

export type ConfigEditorToHost =
  | { readonly type: 'ready'; readonly version: number }
  | { readonly type: 'request'; readonly id: number; readonly request: ConfigEditorRequest }
  | { readonly type: 'cancel'; readonly id: number };

// ---- host -> webview

const fieldKinds = ['whole', 'number', 'text', 'boolean', 'choice', 'choices', 'numbers', 'lines', 'yaml'] as const;
export type FieldKind = (typeof fieldKinds)[number];

/** Who says what a key is: the document (over a base that says it too), a base (its file name), the schema's default, or nobody. */
export type Origin =
  | { readonly kind: 'stated'; readonly over: string | null }
  | { readonly kind: 'inherited'; readonly from: string }
  | { readonly kind: 'default' }
  | { readonly kind: 'none' };

export interface FieldView {
  readonly path: FieldPath;
  readonly kind: FieldKind;
  readonly description: string;
  /** As it follows "must be". */
  readonly expects: string;
  readonly choices: readonly string[];
  readonly required: boolean;
  /** As it is edited; of `choices` and `numbers` between commas, of `lines` one a line. */
  readonly value: string;
  readonly origin: Origin;
}

export interface SectionView {
  /** Empty for the top of the config. */
  readonly path: FieldPath;
  readonly description: string;
  readonly optional: boolean;
  /** One that is not there has no fields. */
  readonly present: boolean;
  readonly origin: Origin;
  readonly fields: readonly FieldView[];
}

export interface FindingView {
  readonly severity: 'error' | 'warning' | 'information';
  readonly code: string;
  readonly message: string;
  /** The field or section that it is about; null for one that the form has no place for. */
  readonly path: FieldPath | null;
  /** Where it stands: in the document, or in another file, by its name. */
  readonly file: string | null;
  readonly line: number;
  /** What its fixes do, best first. Of findings in other files none. */
  readonly fixes: readonly string[];
}

/** Amounts are of the whole model. */
export interface CostView {
  readonly parameters: number;
  readonly activeParameters: number;
  readonly activeIsUpperBound: boolean;
  readonly macsPerToken: number;
  /** Bytes that training takes, on the host and on the device; null for a config that only counts. */
  readonly memory: { readonly host: number; readonly device: number } | null;
  /** Reasons why it is not causal. */
  readonly notCausal: readonly string[];
}

interface BlockCost {
  readonly parameters: number;
  readonly macsPerToken: number;
}

const blockKinds = ['embedding', 'attention', 'dense', 'routed', 'retrieval', 'output'] as const;
export type BlockKind = (typeof blockKinds)[number];

export interface BlockView extends BlockCost {
  readonly kind: BlockKind;
  readonly title: string;
  readonly size: string;
  readonly parts: readonly (BlockCost & { readonly title: string; readonly size: string })[];
}

export interface DiagramView {
  readonly input: BlockView;
  /** Layers that come one after the other `times` times. */
  readonly groups: readonly {
    readonly times: number;
    readonly layers: readonly { readonly name: string; readonly blocks: readonly BlockView[] }[];
  }[];
  readonly output: BlockView;
  readonly total: BlockCost;
  readonly description: string;
}

/** The members of a sweep, with what each costs. */
export interface FamilyView {
  /** What the residuals are of. */
  readonly against: string;
  readonly members: readonly {
    readonly name: string;
    /** Null where the member has errors; so are the others. */
    readonly parameters: number | null;
    readonly macsPerToken: number | null;
    /** Of the part that differs. */
    readonly compared: ParityFigures | null;
  }[];
}

/** Why the text is no form now, and where. */
export interface BrokenView {
  readonly message: string;
  /** Another file than the document, by its name: a base. */
  readonly file: string | null;
  /** From 1. */
  readonly line: number;
}

export interface ConfigEditorUpdate {
  readonly type: 'update';
  /** Of the document; requests carry it. */
  readonly version: number;
  readonly name: string;
  /** While the text is broken: null, and the page keeps what it had, read-only. */
  readonly sections: readonly SectionView[] | null;
  readonly broken: BrokenView | null;
  /** Whether the document can be changed at all. */
  readonly readOnly: boolean;
  readonly findings: readonly FindingView[];
  /** Null where the config has errors; so are the others. */
  readonly cost: CostView | null;
  readonly parity: ParityView | null;
  /** Null without a sweep. */
  readonly family: FamilyView | null;
  readonly diagram: DiagramView | null;
}

/** Numbers that would bring the model nearer to its baseline, with what remains. */
export interface ChoiceView {
  readonly changes: Readonly<Record<string, number>>;
  readonly title: string;
  readonly parity: ParityView;
}

export type ConfigEditorResult =
  /** `version`: of the document now. */
  | { readonly kind: 'changed'; readonly version: number }
  /** The document has changed since: nothing was done, and an update is on its way. */
  | { readonly kind: 'stale' }
  /** It cannot be done; a sentence for the field. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'choices'; readonly choices: readonly ChoiceView[] }
  | { readonly kind: 'done' };

export type ConfigEditorToWebview =
  | { readonly type: 'welcome'; readonly version: number }
  | { readonly type: 'versionMismatch'; readonly version: number }
  | ConfigEditorUpdate
  | { readonly type: 'response'; readonly id: number; readonly result: ConfigEditorResult }
  | { readonly type: 'error'; readonly id: number; readonly message: string; readonly advice: string };

// ---- schemas

const id = z.int().nonnegative();
const version = z.int().nonnegative();
const path = z.array(z.string().max(200)).max(20);
const amount = z.number().nonnegative();

const changeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('set'), path, text: z.string().max(100_000) }),
  z.strictObject({ kind: z.literal('reset'), path }),
  z.strictObject({ kind: z.literal('addSection'), path }),
  z.strictObject({ kind: z.literal('removeSection'), path }),
  z.strictObject({ kind: z.literal('fix'), finding: z.int().nonnegative(), fix: z.int().nonnegative() }),
  z.strictObject({ kind: z.literal('solved'), changes: z.record(z.string().max(200), z.number()) }),
]) satisfies z.ZodType<DocumentChange>;

const requestSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('change'), version, change: changeSchema }),
  z.strictObject({ kind: z.literal('solve'), version, target: z.enum(solveTargets) }),
  z.strictObject({ kind: z.literal('revealKey'), path }),
  z.strictObject({ kind: z.literal('revealFinding'), version, finding: z.int().nonnegative() }),
  z.strictObject({ kind: z.literal('revealBroken') }),
  z.strictObject({ kind: z.literal('showText') }),
  z.strictObject({ kind: z.literal('showRule'), code: z.string().max(200) }),
]) satisfies z.ZodType<ConfigEditorRequest>;

export const configEditorToHostSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready'), version: z.int() }),
  z.strictObject({ type: z.literal('request'), id, request: requestSchema }),
  z.strictObject({ type: z.literal('cancel'), id }),
]) satisfies z.ZodType<ConfigEditorToHost>;

const originSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stated'), over: z.string().nullable() }),
  z.strictObject({ kind: z.literal('inherited'), from: z.string() }),
  z.strictObject({ kind: z.literal('default') }),
  z.strictObject({ kind: z.literal('none') }),
]) satisfies z.ZodType<Origin>;

const fieldSchema = z.strictObject({
  path,
  kind: z.enum(fieldKinds),
  description: z.string(),
  expects: z.string(),
  choices: z.array(z.string()),
  required: z.boolean(),
  value: z.string(),
  origin: originSchema,
}) satisfies z.ZodType<FieldView>;

const sectionSchema = z.strictObject({
  path,
  description: z.string(),
  optional: z.boolean(),
  present: z.boolean(),
  origin: originSchema,
  fields: z.array(fieldSchema),
}) satisfies z.ZodType<SectionView>;

const findingSchema = z.strictObject({
  severity: z.enum(['error', 'warning', 'information']),
  code: z.string(),
  message: z.string(),
  path: path.nullable(),
  file: z.string().nullable(),
  line: z.int().positive(),
  fixes: z.array(z.string()),
}) satisfies z.ZodType<FindingView>;

const costSchema = z.strictObject({
  parameters: amount,
  activeParameters: amount,
  activeIsUpperBound: z.boolean(),
  macsPerToken: amount,
  memory: z.strictObject({ host: amount, device: amount }).nullable(),
  notCausal: z.array(z.string()),
}) satisfies z.ZodType<CostView>;

const blockCost = { parameters: amount, macsPerToken: amount };

const blockSchema = z.strictObject({
  kind: z.enum(blockKinds),
  title: z.string(),
  size: z.string(),
  parts: z.array(z.strictObject({ title: z.string(), size: z.string(), ...blockCost })),
  ...blockCost,
}) satisfies z.ZodType<BlockView>;

const diagramSchema = z.strictObject({
  input: blockSchema,
  groups: z.array(
    z.strictObject({
      times: z.int().positive(),
      layers: z.array(z.strictObject({ name: z.string(), blocks: z.array(blockSchema) })),
    }),
  ),
  output: blockSchema,
  total: z.strictObject(blockCost),
  description: z.string(),
}) satisfies z.ZodType<DiagramView>;

const familySchema = z.strictObject({
  against: z.string(),
  members: z.array(
    z.strictObject({
      name: z.string(),
      parameters: amount.nullable(),
      macsPerToken: amount.nullable(),
      compared: parityFiguresSchema.nullable(),
    }),
  ),
}) satisfies z.ZodType<FamilyView>;

const configEditorUpdateSchema = z.strictObject({
  type: z.literal('update'),
  version,
  name: z.string(),
  sections: z.array(sectionSchema).nullable(),
  broken: z.strictObject({ message: z.string(), file: z.string().nullable(), line: z.int().positive() }).nullable(),
  readOnly: z.boolean(),
  findings: z.array(findingSchema),
  cost: costSchema.nullable(),
  parity: parityViewSchema.nullable(),
  family: familySchema.nullable(),
  diagram: diagramSchema.nullable(),
}) satisfies z.ZodType<ConfigEditorUpdate>;

const choiceSchema = z.strictObject({
  changes: z.record(z.string(), z.number()),
  title: z.string(),
  parity: parityViewSchema,
}) satisfies z.ZodType<ChoiceView>;

const resultSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('changed'), version }),
  z.strictObject({ kind: z.literal('stale') }),
  z.strictObject({ kind: z.literal('refused'), reason: z.string() }),
  z.strictObject({ kind: z.literal('choices'), choices: z.array(choiceSchema) }),
  z.strictObject({ kind: z.literal('done') }),
]) satisfies z.ZodType<ConfigEditorResult>;

export const configEditorToWebviewSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('welcome'), version: z.int() }),
  z.strictObject({ type: z.literal('versionMismatch'), version: z.int() }),
  configEditorUpdateSchema,
  z.strictObject({ type: z.literal('response'), id, result: resultSchema }),
  z.strictObject({ type: z.literal('error'), id, message: z.string(), advice: z.string() }),
]) satisfies z.ZodType<ConfigEditorToWebview>;

// ---- UI state: what the webview keeps by setState and gets back when it is shown again. Navigation only, never data.

export interface ConfigEditorUiState {
  readonly schemaVersion: 1;
  /** Sections that the user has folded or unfolded, by dotted path; others are as the page thinks fit. */
  readonly folded: Readonly<Record<string, boolean>>;
  readonly filter: string;
  /** Only keys that this file states, and those with findings. */
  readonly statedOnly: boolean;
}

export const configEditorUiStateSchema = z.strictObject({
  schemaVersion: z.literal(1),
  folded: z.record(z.string().max(200), z.boolean()),
  filter: z.string().max(200),
  statedOnly: z.boolean(),
}) satisfies z.ZodType<ConfigEditorUiState>;
