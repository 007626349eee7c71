import type { DiagramView } from '../../src/extension/panels/configEditor-protocol';
import { checkbox, textButton, textControl } from '../shared/controls';
import { element, prose, setHidden, setText } from '../shared/element';
import type { PageActions, PartActions } from './actions';
import { diagramSvg } from './diagram';
import { FamilyPart } from './familyPart';
import { FindingList } from './findingList';
import { Header } from './header';
import { ParityPart } from './parityPart';
import { SectionBlock } from './sectionBlock';
import { dotted, findingsByPath, isReadOnly, type ConfigEditorState } from './state';

/** The whole page: a pure picture of the state, brought up to date in place so that focus and drafts stay. */
export class ConfigEditorPage {
  readonly element: HTMLElement;
  private readonly notice = element('div', { class: 'notice', role: 'alert', hidden: true });
  private readonly broken = element('div', { class: 'notice broken', role: 'alert', hidden: true });
  private readonly brokenText = element('span', {});
  private readonly loading = element('p', { class: 'empty', role: 'status' }, 'Reading the config…');
  private readonly header: Header;
  private readonly findings: FindingList;
  private readonly parity: ParityPart;
  private readonly family = new FamilyPart();
  private readonly filter;
  private readonly statedOnly;
  private readonly sections = element('div', { class: 'sections' });
  private readonly blocks = new Map<string, SectionBlock>();
  private readonly picture = element('div', { class: 'picture' });
  private readonly diagram: HTMLElement;
  private readonly content: HTMLElement;
  private drawn: DiagramView | null = null;
  private brokenShown = '';

  private readonly actions: PartActions;

  constructor(state: ConfigEditorState, actions: PageActions) {
    const findSizes = (): void => {
      actions.solve();
      this.parity.element.scrollIntoView({ block: 'start' });
    };
    this.actions = { ...actions, findSizes };
    this.header = new Header(actions, () => this.goToFinding());
    this.findings = new FindingList(this.actions);
    this.parity = new ParityPart(actions);
    const search = (filter: string): void => actions.dispatch({ type: 'ui', ui: { filter } });
    this.filter = textControl('Find keys', false, search, () => undefined);
    this.filter.hint('Find keys');
    this.filter.element.addEventListener('input', () => search((this.filter.element as HTMLInputElement).value));
    this.statedOnly = checkbox('Stated here only', (statedOnly) => actions.dispatch({ type: 'ui', ui: { statedOnly } }));
    this.broken.append(
      this.brokenText,
      ' ',
      textButton('Go to It', () => actions.request({ kind: 'revealBroken' })),
    );
    this.diagram = element(
      'section',
      { class: 'architecture', 'aria-labelledby': 'architecture-title' },
      element('h2', { id: 'architecture-title' }, 'Architecture'),
      this.picture,
    );
    const form = element(
      'section',
      { class: 'form', 'aria-label': 'Keys' },
      element('div', { class: 'controls' }, this.filter.element, this.statedOnly.element),
      this.findings.element,
      this.sections,
    );
    const beside = element('div', { class: 'beside' }, this.parity.element, this.family.element, this.diagram);
    this.content = element('div', { class: 'content' }, beside, form);
    this.element = element('div', {}, this.header.element, this.notice, this.broken, this.loading, this.content);
    this.render(state);
  }

  render(state: ConfigEditorState): void {
    const { update } = state;
    this.header.update(state);
    this.renderNotices(state);
    setHidden(this.loading, update !== null || state.connection === 'versionMismatch');
    setHidden(this.content, state.sections.length === 0);
    const findings = findingsByPath(state);
    this.findings.update(findings.get(null) ?? [], isReadOnly(state));
    this.parity.update(state);
    this.family.update(state);
    this.filter.set(state.ui.filter);
    this.statedOnly.set(state.ui.statedOnly);
    this.renderSections(state, findings);
    this.renderDiagram(state.counted.diagram);
  }

  private goToFinding(): void {
    const all = ['error', 'warning', 'information'].map((severity) => `.finding[data-severity="${severity}"]`);
    const found = all.map((selector) => this.content.querySelector<HTMLElement>(selector)).find((one) => one !== null);
    // In a section that the user has folded.
    found?.closest('details:not([open])')?.querySelector('summary')?.click();
    found?.scrollIntoView({ block: 'center' });
    found?.querySelector<HTMLElement>('.link')?.focus({ preventScroll: true });
  }

  private renderNotices(state: ConfigEditorState): void {
    const { update, connection } = state;
    const notice =
      connection === 'versionMismatch'
        ? { message: 'The extension was updated while this page was open.', advice: 'Close the config editor and open it again.' }
        : state.notice;
    setText(this.notice, notice === null ? '' : `${notice.message} ${notice.advice}`.trim());
    setHidden(this.notice, notice === null);
    const broken = update?.broken ?? null;
    const place = broken === null ? '' : `${broken.file === null ? 'Line' : `${broken.file}, line`} ${broken.line}`;
    const until = 'Until that is mended, this form shows the text before it and cannot be changed.';
    const text = broken === null ? '' : `${place}: ${broken.message} ${until}`;
    // An alert is read out each time it is written.
    if (text !== this.brokenShown) this.brokenText.replaceChildren(...prose(text));
    this.brokenShown = text;
    setHidden(this.broken, broken === null);
  }

  private renderSections(state: ConfigEditorState, findings: ReturnType<typeof findingsByPath>): void {
    const shown = new Set(state.sections.map(({ path }) => dotted(path)));
    for (const [path, block] of this.blocks) {
      if (shown.has(path)) continue;
      block.element.remove();
      this.blocks.delete(path);
    }
    for (const [index, section] of state.sections.entries()) {
      const path = dotted(section.path);
      let block = this.blocks.get(path);
      if (block === undefined) {
        block = new SectionBlock(section, this.actions);
        this.blocks.set(path, block);
      }
      block.update(state, section, findings);
      if (this.sections.children[index] !== block.element) this.sections.insertBefore(block.element, this.sections.children[index] ?? null);
    }
  }

  private renderDiagram(diagram: DiagramView | null): void {
    // While the config has errors there is no program: what was drawn before would be of another model.
    setHidden(this.diagram, diagram === null);
    if (JSON.stringify(diagram) === JSON.stringify(this.drawn)) return;
    this.drawn = diagram;
    this.picture.replaceChildren(...(diagram === null ? [] : [diagramSvg(diagram)]));
  }
}
