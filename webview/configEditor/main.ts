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
  type ConfigEditorToWebview,
  type DocumentChange,
  type FieldPath,
} from '../../src/extension/panels/configEditor-protocol';
import { registerControls } from '../shared/controls';
import { oncePerFrame } from '../shared/frame';
import { HostConnection } from '../shared/hostConnection';
import { keepingFocus } from '../shared/keptFocus';
import { focusPlaces } from './focusPlaces';
import { ConfigEditorPage } from './page';
import { initialState, reduce, savedState, type ConfigEditorAction } from './state';

/** Wires the config editor: messages and gestures become actions, actions a state, the state what the page shows. */

registerControls();
const host = new HostConnection<ConfigEditorRequest, ConfigEditorToWebview>({
  schema: configEditorToWebviewSchema,
  receive: (message) => dispatch({ type: 'message', message }),
  notice: dispatch,
});
const saved = configEditorUiStateSchema.safeParse(host.savedState);
let state = initialState(saved.success ? saved.data : null);
/** Changes are asked for one after the other, so that each speaks of the version that the one before it made. */
let turn: Promise<unknown> = Promise.resolve();

const page = new ConfigEditorPage(state, {
  dispatch,
  change,
  solve: () => void solve(),
  request: (request) => void host.request(request).then(taken, host.report),
  revealFinding: (finding) => void host.request({ kind: 'revealFinding', version: shownVersion(), finding }).then(taken, host.report),
});
const places = focusPlaces(page.element);
const draw = oncePerFrame(() => keepingFocus(() => page.render(state), places));
document.getElementById('config-editor')?.append(page.element);
host.post({ type: 'ready', version: CONFIG_EDITOR_PROTOCOL_VERSION });

function dispatch(action: ConfigEditorAction): void {
  state = reduce(state, action);
  host.saveState(savedState(state));
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
    host.report(error);
    return false;
  }
}

async function solve(): Promise<void> {
  if (state.choices === 'asking') return;
  dispatch({ type: 'choices', choices: 'asking' });
  try {
    const result = await host.request({ kind: 'solve', version: shownVersion(), target: state.target });
    dispatch({ type: 'choices', choices: result.kind === 'choices' ? result.choices : null });
    taken(result);
  } catch (error) {
    dispatch({ type: 'choices', choices: null });
    host.report(error);
  }
}

function taken(result: ConfigEditorResult): void {
  if (result.kind === 'stale') dispatch({ type: 'stale' });
}
