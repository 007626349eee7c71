import { resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AnalysisStore } from '../../../src/language/analysisStore';
import {
  CONFIG_EDITOR_PROTOCOL_VERSION,
  configEditorToWebviewSchema,
  type ConfigEditorRequest,
  type ConfigEditorResult,
  type ConfigEditorToWebview,
  type ConfigEditorUpdate,
  type DocumentChange,
} from '../../../src/extension/panels/configEditor-protocol';
import { ConfigEditorSession } from '../../../src/extension/panels/configEditorSession';
import { MemoryDocument } from '../../webview/memoryDocument';

const smoe = `model:
  vocabulary: 32000
  d_model: 768
  layers: 12
  context: 2048
  attention: { heads: 12 }
  ffn: { width: 2048 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 2048 }
`;
const mhMoe = `extends: smoe.moe.yaml
parity: smoe.moe.yaml
model:
  moe: { kind: mh-moe, heads: 2, experts: 40, top_k: 2, expert_width: 768 } # Table 1
`;

const file = resolve('/configs/edited.moe.yaml');
const baseline = resolve('/configs/smoe.moe.yaml');

class Host {
  readonly sent: ConfigEditorToWebview[] = [];
  readonly errors: string[] = [];
  readonly revealed: string[] = [];
  readonly texts = new Map([[baseline, smoe]]);
  readonly document: MemoryDocument;
  readonly session: ConfigEditorSession;
  readonly store: AnalysisStore;
  visible = true;
  readOnly = false;
  edits = 0;
  /** What happens while an edit is on its way to the document. */
  beforeEdit: (() => void) | undefined;
  private id = 0;

  constructor(text = mhMoe) {
    const readText = (path: string): string | undefined => (path === file ? this.document.text : this.texts.get(path));
    this.store = new AnalysisStore({ readText, environment: () => ({ severities: {}, memory: null }) });
    this.document = new MemoryDocument(text, () => {
      this.store.outdate(file);
      this.session.changed();
    });
    this.session = new ConfigEditorSession({
      send: (message) => this.sent.push(configEditorToWebviewSchema.parse(JSON.parse(JSON.stringify(message)))),
      document: () => ({ file, version: this.document.version, text: this.document.text, readOnly: this.readOnly }),
      analysis: () => this.store.get(file),
      readText,
      apply: async (edits) => {
        const { version } = this.document;
        this.beforeEdit?.();
        this.beforeEdit = undefined;
        // As VS Code does: not upon another text than the edits were made for.
        if (version !== this.document.version) return false;
        this.edits++;
        this.document.apply(edits);
        return true;
      },
      reveal: async (path, range) => void this.revealed.push(`${path} ${range === undefined ? '' : range.start.line + 1}`.trim()),
      showRule: async (code) => void this.revealed.push(code),
      isVisible: () => this.visible,
      logError: (error) => this.errors.push(error.message),
    });
  }

  greet(): this {
    this.session.receive({ type: 'ready', version: CONFIG_EDITOR_PROTOCOL_VERSION });
    return this;
  }

  get updates(): readonly ConfigEditorUpdate[] {
    return this.sent.filter((message) => message.type === 'update');
  }

  get update(): ConfigEditorUpdate {
    const last = this.updates.at(-1);
    if (last === undefined) throw new Error('There was no update.');
    return last;
  }

  async ask(request: ConfigEditorRequest): Promise<ConfigEditorResult> {
    const id = ++this.id;
    this.session.receive({ type: 'request', id, request });
    const answer = await vi.waitFor(() => {
      const found = this.sent.find((message) => (message.type === 'response' || message.type === 'error') && message.id === id);
      if (found === undefined) throw new Error('There is no answer yet.');
      return found;
    });
    if (answer.type !== 'response') throw new Error(answer.type === 'error' ? answer.message : 'unreachable');
    return answer.result;
  }

  change(change: DocumentChange, version = this.update.version): Promise<ConfigEditorResult> {
    return this.ask({ kind: 'change', version, change });
  }

  value(path: string): string | undefined {
    return this.update.sections?.flatMap(({ fields }) => fields).find((field) => field.path.join('.') === path)?.value;
  }
}

const heads = ['model', 'moe', 'heads'];

describe('the session of a config editor', () => {
  const sessions: Host[] = [];
  const open = (text?: string): Host => {
    const host = new Host(text).greet();
    sessions.push(host);
    return host;
  };
  afterEach(() => {
    for (const { session } of sessions.splice(0)) session.dispose();
  });

  it('greets, and says the document as a form with costs, parity and the picture', () => {
    const { sent, update } = open();
    expect(sent.map(({ type }) => type)).toEqual(['welcome', 'update']);
    expect(update).toMatchObject({ version: 1, name: 'edited', broken: null, readOnly: false });
    expect(update.cost).toMatchObject({ parameters: 300_724_992, activeIsUpperBound: true });
    const compared = update.parity?.compared;
    expect(
      [compared?.macs, compared?.macsWithRouter, compared?.parameters, compared?.parametersWithRouter].map((one) => one?.toFixed(5)),
    ).toEqual(['0.00000', '0.00520', '-0.03125', '-0.03100']);
    expect(update.diagram?.groups).toMatchObject([{ times: 6 }]);
  });

  it('talks to no page of another version', () => {
    const host = new Host();
    host.session.receive({ type: 'ready', version: CONFIG_EDITOR_PROTOCOL_VERSION + 1 });
    expect(host.sent).toEqual([{ type: 'versionMismatch', version: CONFIG_EDITOR_PROTOCOL_VERSION }]);
  });

  it('makes a committed field one edit and one undo step, and keeps the comment', async () => {
    const host = open();
    expect(await host.change({ kind: 'set', path: heads, text: '4' })).toEqual({ kind: 'changed', version: 2 });
    expect(host.document.text).toBe(mhMoe.replace('heads: 2', 'heads: 4'));
    expect([host.edits, host.document.undoSteps]).toEqual([1, 1]);
    expect(host.value('model.moe.heads')).toBe('4');
  });

  it('says the form before it answers, so that the page knows the version that it made', async () => {
    const host = open();
    await host.change({ kind: 'set', path: heads, text: '4' });
    expect(host.sent.map(({ type }) => type)).toEqual(['welcome', 'update', 'update', 'response']);
  });

  it('refuses a change of another version than the document has, and says the form again', async () => {
    const host = open();
    host.document.type(mhMoe.replace('experts: 40', 'experts: 48'));
    expect(await host.change({ kind: 'set', path: heads, text: '4' }, 1)).toEqual({ kind: 'stale' });
    expect(host.edits).toBe(0);
    expect(host.document.text).toContain('heads: 2, experts: 48');
    expect(host.update.version).toBe(2);
    expect(host.value('model.moe.experts')).toBe('48');
  });

  it('refuses a change when the document changes while it is on its way', async () => {
    const host = open();
    host.beforeEdit = () => host.document.type(`# a word\n${mhMoe}`);
    expect(await host.change({ kind: 'set', path: heads, text: '4' })).toEqual({ kind: 'stale' });
    expect(host.document.text).toBe(`# a word\n${mhMoe}`);
    expect(host.update.version).toBe(2);
  });

  it('undo and redo change the form and cause no edits', async () => {
    const host = open();
    await host.change({ kind: 'set', path: heads, text: '4' });
    host.document.undo();
    await vi.waitFor(() => expect(host.value('model.moe.heads')).toBe('2'));
    host.document.redo();
    await vi.waitFor(() => expect(host.value('model.moe.heads')).toBe('4'));
    expect(host.edits).toBe(1);
    expect(host.document.text).toBe(mhMoe.replace('heads: 2', 'heads: 4'));
  });

  it('says changes that come together once', async () => {
    const host = open();
    for (const experts of ['4', '48', '480']) host.document.type(mhMoe.replace('experts: 40', `experts: ${experts}`));
    await vi.waitFor(() => expect(host.value('model.moe.experts')).toBe('480'));
    expect(host.updates).toHaveLength(2);
  });

  it('is read-only while the text is broken, says where, and takes the user there', async () => {
    const host = open();
    host.document.type(mhMoe.replace('768 }', '768'));
    await vi.waitFor(() => expect(host.update.broken).not.toBeNull());
    expect(host.update).toMatchObject({ sections: null, cost: null, parity: null, broken: { file: null } });
    expect(host.update.broken?.line).toBeGreaterThanOrEqual(4);
    expect(await host.change({ kind: 'set', path: heads, text: '4' })).toMatchObject({ kind: 'refused' });
    await host.ask({ kind: 'revealBroken' });
    expect(host.revealed).toEqual([`${file} ${host.update.broken?.line}`]);
    expect(host.edits).toBe(0);
    host.document.undo();
    await vi.waitFor(() => expect(host.update.broken).toBeNull());
  });

  it('names the base that is broken', async () => {
    const host = open();
    host.texts.set(baseline, 'model: [');
    host.store.outdate(baseline);
    host.session.changed();
    await vi.waitFor(() => expect(host.update.broken).toMatchObject({ file: 'smoe.moe.yaml', line: 1 }));
  });

  it('shows findings at their fields and applies their fixes', async () => {
    const host = open(mhMoe.replace('heads: 2', 'hedas: 2'));
    const index = host.update.findings.findIndex(({ code }) => code === 'unknown-key');
    const finding = host.update.findings[index];
    expect(finding).toMatchObject({ severity: 'error', file: null, line: 4 });
    expect(finding?.fixes.length).toBeGreaterThan(0);
    expect(await host.change({ kind: 'fix', finding: index, fix: 0 })).toEqual({ kind: 'changed', version: 2 });
    expect(host.document.text).toBe(mhMoe);
    expect(host.document.undoSteps).toBe(1);
  });

  it('refuses what no field may be, as a sentence', async () => {
    const host = open();
    expect(await host.change({ kind: 'set', path: heads, text: 'two' })).toMatchObject({
      kind: 'refused',
      reason: expect.stringMatching(/^It must be a whole number/) as string,
    });
    expect(host.document.version).toBe(1);
  });

  it('changes nothing that cannot be written safely: a value that an alias shares', async () => {
    const shared = mhMoe.replace('heads: 2, experts: 40, top_k: 2', 'heads: &two 2, experts: 40, top_k: *two');
    const host = open(shared);
    expect(await host.change({ kind: 'set', path: heads, text: '4' })).toMatchObject({ kind: 'refused' });
    expect(host.document.text).toBe(shared);
  });

  it('makes no edit for what is as it was, nor where the document cannot be written', async () => {
    const host = open();
    expect(await host.change({ kind: 'set', path: heads, text: '2' })).toEqual({ kind: 'changed', version: 1 });
    host.readOnly = true;
    expect(await host.change({ kind: 'set', path: heads, text: '4' })).toMatchObject({ kind: 'refused' });
    expect([host.edits, host.document.version]).toEqual([0, 1]);
  });

  it('refuses a base that is not there, which would leave no form to correct it in', async () => {
    const host = open();
    expect(await host.change({ kind: 'set', path: ['extends'], text: 'smo.moe.yaml' })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('smo.moe.yaml') as string,
    });
    expect([host.edits, host.document.text]).toEqual([0, mhMoe]);
  });

  it('writes of a choice only what the base says otherwise', async () => {
    const variant = 'extends: smoe.moe.yaml\nparity: smoe.moe.yaml\nmodel:\n  moe:\n    experts: 9\n';
    const host = open(variant);
    const changes = { 'model.moe.expert_width': 2048, 'model.moe.experts': 8 };
    expect(await host.change({ kind: 'solved', changes })).toEqual({ kind: 'changed', version: 2 });
    expect(host.document.text).toBe(variant.replace('experts: 9', 'experts: 8'));
  });

  it('gives the choices of the solver, and applies one as one step', async () => {
    const host = open(mhMoe.replace('experts: 40', 'experts: 16'));
    const result = await host.ask({ kind: 'solve', version: 1, target: 'both' });
    if (result.kind !== 'choices') throw new Error(`not choices but ${result.kind}`);
    const best = result.choices[0];
    expect(best?.changes).toEqual({ 'model.moe.expert_width': 768, 'model.moe.experts': 41 });
    expect(best?.title).toBe('expert_width 768, experts 41');
    expect(best?.parity.compared.macs).toBe(0);
    expect(await host.change({ kind: 'solved', changes: best?.changes ?? {} })).toEqual({ kind: 'changed', version: 2 });
    expect(host.document.text).toBe(mhMoe.replace('experts: 40', 'experts: 41'));
    expect(host.update.parity).toEqual(best?.parity);
  });

  it('takes the user to a key: in the text, or in the base that states it', async () => {
    const host = open();
    await host.ask({ kind: 'revealKey', path: heads });
    await host.ask({ kind: 'revealKey', path: ['model', 'd_model'] });
    await host.ask({ kind: 'showText' });
    await host.ask({ kind: 'showRule', code: 'unknown-key' });
    expect(host.revealed).toEqual([`${file} 4`, `${baseline} 3`, file, 'unknown-key']);
  });

  it('says nothing to a page that is hidden, and everything when it is back', async () => {
    const host = open();
    host.session.hidden();
    host.document.type(mhMoe.replace('heads: 2', 'heads: 4'));
    await new Promise((resolvePromise) => setTimeout(resolvePromise, 120));
    expect(host.updates).toHaveLength(1);
    host.greet();
    expect(host.value('model.moe.heads')).toBe('4');
  });

  it('answers requests in their order, and one that throws with an error', async () => {
    const host = open();
    const first = host.change({ kind: 'set', path: heads, text: '4' }, 1);
    const second = host.change({ kind: 'set', path: heads, text: '6' }, 1);
    expect([await first, await second]).toEqual([{ kind: 'changed', version: 2 }, { kind: 'stale' }]);
    host.store.get = () => {
      throw new Error('nothing there');
    };
    await expect(host.ask({ kind: 'solve', version: 2, target: 'macs' })).rejects.toThrow('nothing there');
  });

  it('logs a message that it does not understand, and goes on', async () => {
    const host = open();
    host.session.receive({ type: 'request', id: 1, request: { kind: 'format' } });
    expect(host.errors).toHaveLength(1);
    expect(await host.change({ kind: 'set', path: heads, text: '4' })).toMatchObject({ kind: 'changed' });
  });
});
