import { applyEdits, editsFor } from '../../config/edit/keyEdits';
import { fixesOf } from '../../config/fixes';
import type { ReadText, SourceRange, TextEdit } from '../../config/configFile';
import { valueAt } from '../../config/keyValues';
import type { KeyChange } from '../../config/remedy';
import type { ConfigAnalysis } from '../../language/analysis';
import { brokenAt } from '../../language/configForm';
import { formEdit } from '../../language/formEdits';
import { solvedChoices } from '../../language/solvedChoices';
import {
  CONFIG_EDITOR_PROTOCOL_VERSION,
  configEditorToHostSchema,
  type ConfigEditorRequest,
  type ConfigEditorResult,
  type ConfigEditorToWebview,
  type DocumentChange,
} from './configEditor-protocol';
import { shownForm, type EditedDocument, type ShownForm } from './configEditorView';

export interface ConfigEditorEnvironment {
  readonly send: (message: ConfigEditorToWebview) => void;
  readonly document: () => EditedDocument;
  readonly analysis: () => ConfigAnalysis;
  readonly readText: ReadText;
  /** Makes the edits one undo step; false where the document has changed meanwhile. */
  readonly apply: (edits: readonly TextEdit[]) => Promise<boolean>;
  /** Shows a place of a file as text; without a place the text as it stands. */
  readonly reveal: (file: string, range?: SourceRange) => Promise<void>;
  readonly showRule: (code: string) => Promise<void>;
  readonly isVisible: () => boolean;
  readonly logError: (error: Error) => void;
}

/** After the last of several changes that come together, as when somebody types in the text. */
const SETTLE_MILLISECONDS = 40;
const MOST_CHOICES = 8;

const elsewhere = 'This cannot be written here without risk to what else the text says; change it in the text.';

/**
 * Host side of one config editor, apart from VS Code. The document is the truth: the page gets it as a form after each change, whoever made
 * it, and what the page asks for is refused where it speaks of another version than the document has. Nothing but a request of the page
 * makes an edit.
 */
export class ConfigEditorSession {
  private readonly cancelled = new Set<number>();
  private readonly inFlight = new Set<number>();
  private shown: ShownForm | undefined;
  private greeted = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Requests are answered one after the other, in the order in which they came. */
  private turn: Promise<void> = Promise.resolve();
  private disposed = false;

  constructor(private readonly environment: ConfigEditorEnvironment) {}

  receive(raw: unknown): void {
    if (this.disposed) return;
    const parsed = configEditorToHostSchema.safeParse(raw);
    if (!parsed.success) {
      this.environment.logError(new Error(`The config editor sent a message that is not understood: ${parsed.error.message}`));
      return;
    }
    const message = parsed.data;
    switch (message.type) {
      case 'ready':
        return this.welcome(message.version);
      case 'request': {
        const { id, request } = message;
        this.inFlight.add(id);
        this.turn = this.turn.then(() => this.answer(id, request));
        return;
      }
      case 'cancel':
        if (this.inFlight.has(message.id)) this.cancelled.add(message.id);
        return;
    }
  }

  /** The document has changed, or what its form depends on. */
  changed(): void {
    if (!this.greeted || this.disposed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.update(), SETTLE_MILLISECONDS);
  }

  /** The page is gone until it is seen again; then it says `ready` anew. */
  hidden(): void {
    this.greeted = false;
    clearTimeout(this.timer);
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
  }

  private welcome(version: number): void {
    if (version !== CONFIG_EDITOR_PROTOCOL_VERSION) return this.send({ type: 'versionMismatch', version: CONFIG_EDITOR_PROTOCOL_VERSION });
    this.greeted = true;
    this.send({ type: 'welcome', version });
    this.update();
  }

  private update(): void {
    clearTimeout(this.timer);
    if (this.disposed || !this.greeted || !this.environment.isVisible()) return;
    const { document, analysis, readText, logError } = this.environment;
    try {
      this.shown = shownForm(document(), analysis(), readText);
    } catch (error) {
      // The page keeps what it has, and every change it asks for is refused as stale.
      logError(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.send(this.shown.update);
  }

  /** Every request gets exactly one answer, unless it was cancelled. */
  private async answer(id: number, request: ConfigEditorRequest): Promise<void> {
    const reply = await this.perform(request).then(
      (result): ConfigEditorToWebview => ({ type: 'response', id, result }),
      (reason: unknown): ConfigEditorToWebview => {
        const error = reason instanceof Error ? reason : new Error(String(reason));
        this.environment.logError(error);
        return { type: 'error', id, message: error.message, advice: 'The output channel MoE Lab has the details.' };
      },
    );
    this.inFlight.delete(id);
    if (!this.cancelled.delete(id)) this.send(reply);
  }

  private async perform(request: ConfigEditorRequest): Promise<ConfigEditorResult> {
    switch (request.kind) {
      case 'change':
        return this.change(request.version, request.change);
      case 'solve':
        return this.solve(request);
      case 'revealKey':
        await this.revealKey(request.path);
        return { kind: 'done' };
      case 'revealFinding':
        return this.revealFinding(request.version, request.finding);
      case 'revealBroken': {
        const broken = this.shown?.broken;
        await this.environment.reveal(broken?.file ?? this.environment.document().file, broken?.range);
        return { kind: 'done' };
      }
      case 'showText':
        await this.environment.reveal(this.environment.document().file);
        return { kind: 'done' };
      case 'showRule':
        await this.environment.showRule(request.code);
        return { kind: 'done' };
    }
  }

  private async change(version: number, change: DocumentChange): Promise<ConfigEditorResult> {
    const { shown } = this;
    if (shown === undefined || this.isStale(version)) return this.stale();
    if (shown.form === undefined || this.environment.document().readOnly) {
      return { kind: 'refused', reason: 'The text cannot be changed by the form now.' };
    }
    const edits = this.editsOf(change, shown);
    if (typeof edits === 'string') return { kind: 'refused', reason: edits };
    if (edits.length > 0 && !(await this.environment.apply(edits))) return this.stale();
    if (edits.length > 0) this.update();
    return { kind: 'changed', version: this.environment.document().version };
  }

  /** Edits, or why there are none. */
  private editsOf(change: DocumentChange, shown: ShownForm): readonly TextEdit[] | string {
    const { file, text } = this.environment.document();
    const { experiment } = this.environment.analysis().loaded;
    switch (change.kind) {
      case 'fix': {
        const finding = shown.findings[change.finding];
        return (finding && fixesOf(finding, text)[change.fix]?.edits) ?? elsewhere;
      }
      case 'solved': {
        const changes = Object.entries(change.changes).map(([key, value]): KeyChange => ({ kind: 'set', path: key.split('.'), value }));
        // A choice names also what stays as it is: a variant need not state what its base says.
        const differing = changes.filter((one) => one.kind === 'set' && valueAt(experiment, one.path) !== one.value);
        return editsFor(text, differing) ?? elsewhere;
      }
      default: {
        if (shown.form === undefined) return elsewhere;
        const edit = formEdit(shown.form, change, experiment);
        if ('problem' in edit) return edit.problem;
        const edits = edit.changes.length === 0 ? [] : editsFor(text, edit.changes);
        if (edits === undefined) return elsewhere;
        // A base that is not there would leave no form to correct it in.
        return brokenAt(file, applyEdits(text, edits), this.environment.readText)?.message ?? edits;
      }
    }
  }

  private solve({ version, target }: Extract<ConfigEditorRequest, { readonly kind: 'solve' }>): ConfigEditorResult {
    if (this.isStale(version)) return this.stale();
    const { loaded, baseline } = this.environment.analysis();
    if (loaded.experiment === undefined || baseline === undefined) return { kind: 'choices', choices: [] };
    return { kind: 'choices', choices: solvedChoices(loaded.experiment, baseline, { target, limit: MOST_CHOICES }) };
  }

  private async revealKey(path: readonly string[]): Promise<void> {
    const wanted = JSON.stringify(path);
    // The document's own comes first, as files do in the chain.
    const place = this.shown?.form?.places.find((one) => JSON.stringify(one.path) === wanted);
    await this.environment.reveal(place?.file ?? this.environment.document().file, place?.key);
  }

  private async revealFinding(version: number, index: number): Promise<ConfigEditorResult> {
    const finding = this.shown?.findings[index];
    if (finding === undefined || this.isStale(version)) return this.stale();
    await this.environment.reveal(finding.file, finding.range);
    return { kind: 'done' };
  }

  private isStale(version: number): boolean {
    return version !== this.shown?.update.version || version !== this.environment.document().version;
  }

  /** Nothing was done; the page is told what the document is now. */
  private stale(): ConfigEditorResult {
    this.update();
    return { kind: 'stale' };
  }

  private send(message: ConfigEditorToWebview): void {
    if (!this.disposed) this.environment.send(message);
  }
}
