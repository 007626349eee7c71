import type { SectionView } from '../../src/extension/panels/configEditor-protocol';
import { iconButton, textButton } from '../shared/controls';
import { element, prose, setHidden, setText } from '../shared/element';
import type { PartActions } from './actions';
import { FieldRow } from './fieldRow';
import { FindingList } from './findingList';
import { dotted, isFolded, isReadOnly, shownFields, type ConfigEditorState, type NumberedFinding } from './state';

/** A mapping of the config, folded or with its keys; one that may be left out and is, with a button that adds it. */
export class SectionBlock {
  readonly element: HTMLElement;
  private readonly details = element('details', {});
  private readonly summary = element('span', { class: 'section-summary' });
  private readonly rows = element('div', { class: 'fields' });
  private readonly findings: FindingList;
  private readonly absent: HTMLElement;
  private readonly add: HTMLElement & { disabled: boolean };
  private readonly remove: HTMLElement & { disabled: boolean };
  private readonly fields = new Map<string, FieldRow>();
  private readonly path: SectionView['path'];
  private folded = true;

  constructor(
    section: SectionView,
    private readonly actions: PartActions,
  ) {
    const { path } = section;
    this.path = path;
    const name = titleOf(section);
    this.findings = new FindingList(actions);
    this.add = textButton('Add', () => void actions.change({ kind: 'addSection', path }));
    this.add.setAttribute('aria-label', `Add ${name}`);
    this.remove = iconButton(
      'close',
      `Remove ${name}`,
      `Take ${name} out of this config`,
      () => void actions.change({ kind: 'removeSection', path }),
    );
    this.absent = element(
      'div',
      { class: 'absent' },
      element('h2', { class: 'key' }, name),
      element('p', { class: 'field-description' }, ...prose(section.description)),
      this.add,
    );
    const summary = element('summary', {}, element('h2', { class: 'key' }, name), this.summary);
    // Taken at once: the page may be drawn anew before `toggle` comes, and would fold back what it has not been told of.
    summary.addEventListener('click', (event) => {
      event.preventDefault();
      this.fold(this.details.open);
    });
    this.details.append(
      summary,
      element('p', { class: 'field-description' }, ...prose(section.description)),
      this.findings.element,
      this.rows,
    );
    // A search in the page opens what it finds. What is as it was drawn is no choice of the user.
    this.details.addEventListener('toggle', () => {
      if (this.details.open === this.folded) this.fold(!this.details.open);
    });
    this.element = element('section', { class: 'section', 'data-path': dotted(path) }, this.details, this.remove, this.absent);
  }

  private fold(folded: boolean): void {
    this.folded = folded;
    this.details.open = !folded;
    this.actions.dispatch({ type: 'fold', section: dotted(this.path), folded });
  }

  update(state: ConfigEditorState, section: SectionView, findings: ReadonlyMap<string | null, readonly NumberedFinding[]>): void {
    const readOnly = isReadOnly(state);
    const fields = shownFields(state, section, findings);
    const filtered = state.ui.filter.trim() !== '' || state.ui.statedOnly;
    setHidden(this.element, filtered && fields.length === 0);
    setHidden(this.details, !section.present);
    setHidden(this.absent, section.present);
    this.add.disabled = readOnly;
    setHidden(this.remove, readOnly || !section.present || !section.optional);
    setText(this.summary, summaryOf(section, findings));
    this.findings.update(findings.get(dotted(section.path)) ?? [], readOnly);
    this.folded = isFolded(state, section, findings);
    if (this.details.open === this.folded) this.details.open = !this.folded;
    this.updateRows(state, fields, findings, readOnly);
  }

  private updateRows(
    state: ConfigEditorState,
    fields: SectionView['fields'],
    findings: ReadonlyMap<string | null, readonly NumberedFinding[]>,
    readOnly: boolean,
  ): void {
    const shown = new Set(fields.map(({ path }) => dotted(path)));
    for (const [path, row] of this.fields) {
      if (shown.has(path)) continue;
      row.element.remove();
      this.fields.delete(path);
    }
    for (const [index, field] of fields.entries()) {
      const path = dotted(field.path);
      let row = this.fields.get(path);
      if (row === undefined || !row.suits(field)) {
        row?.element.remove();
        row = new FieldRow(field, this.actions);
        this.fields.set(path, row);
      }
      row.update(field, findings.get(path) ?? [], state.refusals.get(path), readOnly);
      if (this.rows.children[index] !== row.element) this.rows.insertBefore(row.element, this.rows.children[index] ?? null);
    }
  }
}

function titleOf({ path }: SectionView): string {
  return path.length === 0 ? 'Experiment' : dotted(path);
}

/** `5 of 12 keys stated, 1 finding`. */
function summaryOf({ fields }: SectionView, findings: ReadonlyMap<string | null, readonly NumberedFinding[]>): string {
  const stated = fields.filter(({ origin }) => origin.kind === 'stated').length;
  const found = fields.reduce((sum, { path }) => sum + (findings.get(dotted(path))?.length ?? 0), 0);
  const keys = `${stated} of ${fields.length} ${fields.length === 1 ? 'key' : 'keys'} stated`;
  return found === 0 ? keys : `${keys}, ${found} ${found === 1 ? 'finding' : 'findings'}`;
}
