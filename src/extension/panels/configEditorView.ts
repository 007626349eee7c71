import { basename } from 'node:path';
import { experimentName } from '../../config/experimentName';
import { fixesOf } from '../../config/fixes';
import type { ConfigFinding, ReadText } from '../../config/configFile';
import type { ConfigAnalysis } from '../../language/analysis';
import { architectureDiagram, layerNames } from '../../language/architectureDiagram';
import { brokenAt, configForm, keyOfFinding, type ConfigForm } from '../../language/configForm';
import { familyTable } from '../../language/familyTable';
import { finite, parityView } from '../../language/parityView';
import { outlineLanguageModel } from '../../models/outline';
import type { BrokenView, ConfigEditorUpdate, CostView, DiagramView, FamilyView, FindingView } from './configEditor-protocol';

/** The document that a config editor shows, as it is now. */
export interface EditedDocument {
  /** Absolute path. */
  readonly file: string;
  readonly version: number;
  readonly text: string;
  readonly readOnly: boolean;
}

/** What a page was told, and what its requests speak of. */
export interface ShownForm {
  readonly update: ConfigEditorUpdate;
  /** Undefined while the text is broken. */
  readonly form: ConfigForm | undefined;
  readonly broken: ConfigFinding | undefined;
  /** In the order of the update's. */
  readonly findings: readonly ConfigFinding[];
}

/** The document as a form, with what its model costs and looks like. Pure but for what `readText` reads. */
export function shownForm(document: EditedDocument, analysis: ConfigAnalysis, readText: ReadText): ShownForm {
  const { file, text, version, readOnly } = document;
  const form = configForm(file, text, readText);
  const broken = form === undefined ? brokenAt(file, text, readText) : undefined;
  const findings = form === undefined ? [] : analysis.findings;
  const { experiment } = analysis.loaded;
  const update: ConfigEditorUpdate = {
    type: 'update',
    version,
    name: experimentName(file, experiment),
    sections: form?.sections ?? null,
    broken: form === undefined ? brokenView(document, broken) : null,
    readOnly,
    findings: form === undefined ? [] : findings.map((finding) => findingView(finding, document, form)),
    cost: costView(analysis),
    parity: parityOf(analysis),
    family: familyView(analysis),
    diagram: diagramView(analysis),
  };
  return { update, form, broken, findings };
}

function brokenView({ file }: EditedDocument, broken: ConfigFinding | undefined): BrokenView {
  if (broken === undefined) return { message: 'This text cannot be read as a config.', file: null, line: 1 };
  return { message: broken.message, file: broken.file === file ? null : basename(broken.file), line: broken.range.start.line + 1 };
}

function findingView(finding: ConfigFinding, { file, text, readOnly }: EditedDocument, form: ConfigForm): FindingView {
  const { severity, code, message, range } = finding;
  const isOwn = finding.file === file;
  return {
    severity,
    code,
    message,
    path: keyOfFinding(form, finding) ?? null,
    file: isOwn ? null : basename(finding.file),
    line: range.start.line + 1,
    fixes: isOwn && !readOnly ? fixesOf(finding, text).map(({ title }) => title) : [],
  };
}

function costView({ count, causality, needs }: ConfigAnalysis): CostView | null {
  if (count === undefined) return null;
  return {
    parameters: count.parameters.total,
    activeParameters: count.parameters.active,
    activeIsUpperBound: count.activeIsUpperBound,
    macsPerToken: count.macsPerToken.total,
    memory: needs === null ? null : { host: needs.memory.host, device: needs.memory.device },
    notCausal: causality?.reasons.map(({ reason }) => reason) ?? [],
  };
}

function parityOf({ count, baseline }: ConfigAnalysis): ConfigEditorUpdate['parity'] {
  return count === undefined || baseline === undefined ? null : parityView(baseline.name, count, baseline.count);
}

function familyView(analysis: ConfigAnalysis): FamilyView | null {
  const table = familyTable(analysis);
  if (table === undefined) return null;
  return {
    against: table.against,
    members: table.rows.map(({ name, count, parity }) => ({
      name,
      parameters: count?.parameters.total ?? null,
      macsPerToken: count?.macsPerToken.total ?? null,
      compared: parity === null ? null : finite(parity),
    })),
  };
}

function diagramView({ loaded: { experiment }, count }: ConfigAnalysis): DiagramView | null {
  if (experiment === undefined || count === undefined) return null;
  const { groups, ...rest } = architectureDiagram(outlineLanguageModel(experiment), experiment.model.context);
  return {
    ...rest,
    groups: groups.map(({ times, layers }) => ({
      times,
      layers: layers.map(({ indices, blocks }) => ({ name: layerNames(indices), blocks })),
    })),
  };
}
