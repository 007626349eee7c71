import '../shared/noEval';
import '../shared/page.css';
import './configEditor.css';
import './form.css';
import './parityPart.css';
import './diagram.css';
import {
  CONFIG_EDITOR_PROTOCOL_VERSION,
  configEditorToWebviewSchema,
  configEditorUiStateSchema,
  type ConfigEditorRequest,
  type ConfigEditorResult,
  type DocumentChange,
  type FieldPath,
} from '../../src/extension/panels/configEditor-protocol';
import { registerControls } from '../shared/controls';
import { oncePerFrame } from '../shared/frame';
import { HostConnection, HostError } from '../shared/hostConnection';
import { ConfigEditorPage } from './page';
import { initialState, reduce, savedState, type ConfigEditorAction } from './state';

/** Wires the config editor: messages and gestures become actions, actions a state, the state what the page shows. */

registerControls();
const host = new HostConnection<ConfigEditorRequest, ConfigEditorResult>(receive);
const saved = configEditorUiStateSchema.safeParse(host.savedState);
let state = initialState(saved.success ? saved.data : null);
let savedText = '';
/** Changes are asked for one after the other, so that each speaks of the version that the one before it made. */
let turn: Promise<unknown> = Promise.resolve();

const page = new ConfigEditorPage(state, {
  dispatch,
  change,
  solve: () => void solve(),
  request: (request) => void host.request(request).then(taken, report),
  revealFinding: (finding) => void host.request({ kind: 'revealFinding', version: shownVersion(), finding }).then(taken, report),
});
const draw = oncePerFrame(() => page.render(state));
document.getElementById('config-editor')?.append(page.element);
host.post({ type: 'ready', version: CONFIG_EDITOR_PROTOCOL_VERSION });

function receive(raw: unknown): void {
  const parsed = configEditorToWebviewSchema.safeParse(raw);
  if (!parsed.success) {
    const message = 'A message from the extension was not understood.';
    return dispatch({ type: 'notice', message, advice: `Reload the window. ${parsed.error.issues[0]?.message ?? ''}` });
  }
  const message = parsed.data;
  if (message.type === 'response') host.settle(message.id, message.result);
  if (message.type === 'error') host.fail(message.id, message.message, message.advice);
  dispatch({ type: 'message', message });
}

function dispatch(action: ConfigEditorAction): void {
  state = reduce(state, action);
  const text = JSON.stringify(savedState(state));
  if (text !== savedText) {
    savedText = text;
    host.saveState(savedState(state));
  }
  draw();
}

function shownVersion(): number {
  return state.update?.version ?? 0;
}

function change(wanted: DocumentChange, path?: FieldPath): Promise<boolean> {
  // A field keeps its meaning whatever version it is; a fix or a choice is one of the version that it was shown with.
  const ofVersion = wanted.kind === 'fix' || wanted.kind === 'solved' ? shownVersion() : undefined;
  const done = turn.then(() => ask(wanted, ofVersion ?? shownVersion(), path));
  turn = done;
  return done;
}

async function ask(wanted: DocumentChange, version: number, path: FieldPath | undefined): Promise<boolean> {
  try {
    const result = await host.request({ kind: 'change', version, change: wanted });
    if (path !== undefined) dispatch({ type: 'refused', path, reason: result.kind === 'refused' ? result.reason : null });
    else if (result.kind === 'refused') dispatch({ type: 'notice', message: result.reason, advice: '' });
    taken(result);
    return result.kind === 'changed';
  } catch (error) {
    report(error);
    return false;
  }
}

async function solve(): Promise<void> {
  dispatch({ type: 'choices', choices: 'asking' });
  try {
    const result = await host.request({ kind: 'solve', version: shownVersion(), target: state.target });
    dispatch({ type: 'choices', choices: result.kind === 'choices' ? result.choices : null });
    taken(result);
  } catch (error) {
    dispatch({ type: 'choices', choices: null });
    report(error);
  }
}

function taken(result: ConfigEditorResult): void {
  if (result.kind === 'stale') dispatch({ type: 'stale' });
}

function report(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  dispatch({ type: 'notice', message, advice: error instanceof HostError ? error.advice : '' });
}
