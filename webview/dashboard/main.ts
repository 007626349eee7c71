import '../shared/noEval';
import '../shared/page.css';
import './dashboard.css';
import './runs.css';
import './pictures.css';
import './tables.css';
import {
  DASHBOARD_PROTOCOL_VERSION,
  dashboardToWebviewSchema,
  dashboardUiStateSchema,
  type DashboardRequest,
  type DashboardToWebview,
} from '../../src/extension/panels/dashboard-protocol';
import { registerControls } from '../shared/controls';
import { oncePerFrame } from '../shared/frame';
import { HostConnection } from '../shared/hostConnection';
import { keepingFocus } from '../shared/keptFocus';
import { onThemeChange } from '../shared/theme';
import { DashboardPage } from './page';
import { heatmapRun, initialState, shownRetrieval, reduce, savedState, viewOf, type DashboardAction } from './state';

/** Wires the dashboard: messages and gestures become actions, actions a state, the state what the page shows and asks for. */

registerControls();
const host = new HostConnection<DashboardRequest, DashboardToWebview>({
  schema: dashboardToWebviewSchema,
  receive: (message) => dispatch({ type: 'message', message }),
  notice: dispatch,
});
const saved = dashboardUiStateSchema.safeParse(host.savedState);
let state = initialState(saved.success ? saved.data : null);
let sentView = '';
let lookBack: AbortController | null = null;
let retrievalLookBack: AbortController | null = null;

const page = new DashboardPage(state, {
  dispatch,
  request: (request) => host.request(request).then(() => undefined, host.report),
  lookBack: (step) => void look(step),
  lookBackRetrieval: (step) => void lookAtRetrieval(step),
});
const draw = oncePerFrame(() => keepingFocus(() => page.render(state), focusPlaces));
document.getElementById('dashboard')?.append(page.element);
onThemeChange(() => page.readTheme());
page.onResize(() => announceView());
host.post({ type: 'ready', version: DASHBOARD_PROTOCOL_VERSION });

function dispatch(action: DashboardAction): void {
  state = reduce(state, action);
  announceView();
  // `runs` is empty until the first snapshot: what was saved must outlive that moment.
  if (state.loaded) host.saveState(savedState(state));
  draw();
}

/** Tells the host what is shown now, if that has changed. */
function announceView(): void {
  if (state.connection !== 'connected') return;
  const view = viewOf(state, page.chartWidth);
  const text = JSON.stringify(view);
  if (text === sentView) return;
  sentView = text;
  host.post({ type: 'view', view });
}

/** Shows the experts as they were at `step`; the newest question counts. Null follows the run again. */
async function look(step: number | null): Promise<void> {
  lookBack?.abort();
  dispatch({ type: 'lookBack', step });
  const run = heatmapRun(state);
  if (step === null || run === null) return;
  lookBack = new AbortController();
  try {
    const result = await host.request({ kind: 'expertsAt', run, step }, lookBack.signal);
    if (result.kind === 'experts') dispatch({ type: 'frame', frame: result.frame });
  } catch (error) {
    host.report(error);
  }
}

/** The same for the retrieval that is shown. */
async function lookAtRetrieval(step: number | null): Promise<void> {
  retrievalLookBack?.abort();
  dispatch({ type: 'lookBackRetrieval', step });
  const shown = shownRetrieval(state);
  if (step === null || shown === null) return;
  retrievalLookBack = new AbortController();
  try {
    const { summary, layer } = shown;
    const result = await host.request({ kind: 'sketchAt', run: summary.run, layer, step }, retrievalLookBack.signal);
    if (result.kind === 'sketch') dispatch({ type: 'sketch', figures: result.figures });
  } catch (error) {
    host.report(error);
  }
}

/** Where the focus goes when what has it goes: to what else its run offers, else to the next run, else to the first control. */
function focusPlaces(held: Element): readonly (() => Element | null | undefined)[] {
  const card = held.closest('.run');
  const next = card?.nextElementSibling ?? card?.previousElementSibling;
  const buttonOf = (run: Element | null | undefined) => () =>
    run?.isConnected === true ? [...run.querySelectorAll('vscode-button')].find((button) => button.checkVisibility()) : null;
  return [buttonOf(card), buttonOf(next), () => page.element.querySelector('.controls vscode-dropdown')];
}
