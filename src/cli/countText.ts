import { choicesVary } from '../config/moeShape';
import type { ParityResiduals } from '../parity/compareWithBaseline';
import { attentionCostRows } from '../parity/attentionCostRows';
import { comparedNames } from '../parity/comparedPart';
import { formatBothAxes, formatChoices, formatResidual } from '../parity/formatCount';
import { familyCells, type FamilyTable } from '../language/familyTable';
import { bytesText } from '../worker/bytesText';
import { attentionLayers } from './attentionLayers';
import { causalityNotes, taggedName } from './causalityText';
import type { CountedFile } from './countedFile';
import { printable } from './terminal/printable';
import { textTable } from './textTable';

/** What `moe-lab count` prints for people. */
export function countText(models: readonly CountedFile[], withLayers: boolean): string {
  const sections = [
    summary(models),
    ...models.flatMap((model) => (model.attention === null ? [] : [attentionTable(model, model.attention)])),
    ...models.flatMap((model) => (model.family === null ? [] : [membersTable(model, model.family)])),
    ...(withLayers ? models.map(layerTable) : []),
  ];
  const notes = [
    ...models.flatMap(comparedNote),
    ...(models.some(({ count }) => count.activeIsUpperBound)
      ? ['≤: an upper bound, as sub-tokens of one token may meet in one expert, or heads that retrieve for it']
      : []),
    ...models.flatMap((model) => [
      ...causalityNotes(model.name, model.causality).map(printable),
      ...varyingNote(model),
      ...needsNote(model),
    ]),
    'MACs are per token, forward; attention over the full context.',
  ];
  return [...sections, notes.join('\n')].join('\n\n');
}

function summary(models: readonly CountedFile[]): string {
  const positioned = models.some(({ count }) => count.macsPerToken.position > 0);
  const heading = [
    'model',
    'parameters',
    'active',
    'MACs/token',
    'attention',
    'core',
    ...(positioned ? ['position'] : []),
    'ffn',
    'experts',
    'router',
    'logits',
    'whole model against its baseline',
  ];
  const rows = models.map(({ name, count, parity, causality }) => {
    const macs = count.macsPerToken;
    const position = positioned ? [macs.position] : [];
    const lines = [macs.total, macs.attention, macs.attentionCore, ...position, macs.ffn, macs.experts, macs.router, macs.logits];
    const active = `${count.activeIsUpperBound ? '≤ ' : ''}${grouped(count.parameters.active)}`;
    return [taggedName(name, causality), grouped(count.parameters.total), active, ...lines.map(grouped), parity ? parityText(parity) : ''];
  });
  return textTable([heading, ...rows], [false, ...Array.from({ length: heading.length - 2 }, () => true), false]);
}

/** Both axes, each without and with what chooses experts. */
function parityText({ baseline, parameters, parametersWithoutRouter, macs, macsWithRouter, attention }: ParityResiduals): string {
  const ofAttention =
    attention === undefined
      ? ''
      : `; attention ${formatResidual(attention.parameters)} parameters, ${formatResidual(attention.macs)} MACs (without selections)`;
  const both = formatBothAxes({ macs, macsWithRouter, parameters: parametersWithoutRouter, parametersWithRouter: parameters });
  return `${both}${ofAttention} vs ${baseline}`;
}

/** As papers print it: of the part that differs; nothing where that is the whole model, of which the table speaks. */
function comparedNote({ name, parity }: CountedFile): string[] {
  if (parity === null || parity.compared.scope === 'model') return [];
  const { baseline, compared } = parity;
  return [printable(`${name} against ${baseline}, of ${comparedNames[compared.scope]}: ${formatBothAxes(compared)}`)];
}

/** The members of a sweep; residuals are of the part that differs. */
function membersTable({ name }: CountedFile, family: FamilyTable): string {
  const what = `${name}: members of its sweep, residuals of the part that differs against ${family.against}`;
  return `${printable(what)}\n${textTable(familyCells(family), [false, ...Array.from({ length: 7 }, () => true)])}`;
}

/** SwitchHead's attention counted three ways. */
function attentionTable({ name, experiment }: CountedFile, costs: NonNullable<CountedFile['attention']>): string {
  const rows = attentionCostRows(costs).map(({ source, macs, withSelections, floats }) => [
    source,
    grouped(macs),
    withSelections === null ? '' : grouped(withSelections),
    floats === null ? '' : grouped(floats),
  ]);
  const heading = ['attention of one layer', 'MACs', 'with selections', 'floats kept'];
  const what = `${name}: over one window of ${grouped(experiment.model.context)} tokens`;
  return `${printable(what)}\n${textTable([heading, ...rows], [false, true, true, true])}`;
}

function layerTable({ name, count, experiment }: CountedFile): string {
  const ofAttention = attentionLayers(experiment).map((part) => [
    part.name,
    part.kind,
    ...[part.parameters, part.macsPerToken, part.selectionParameters, part.selectionMacsPerToken].map(grouped),
  ]);
  const ofFeedForward = count.layers.map((layer) => [
    layer.name,
    layer.kind,
    ...[layer.parameters, layer.macsPerToken, layer.routerParameters, layer.routerMacsPerToken].map(grouped),
  ]);
  const rows = [...ofAttention, ...ofFeedForward];
  const heading = ['layer', 'kind', 'parameters', 'MACs/token', 'router parameters', 'router MACs'];
  return `${printable(name)}\n${textTable([heading, ...rows], [false, false, true, true, true, true])}`;
}

function varyingNote({ name, count, experiment: { model } }: CountedFile): string[] {
  const { moe } = model;
  if (moe === undefined || !choicesVary(moe)) return [];
  const each = count.layers.reduce((sum, layer) => sum + layer.macsPerChoice, 0);
  return [
    printable(
      `${name}: units take ${formatChoices(model, moe)}; counted at ${moe.top_k}, one more on average costs ${grouped(each)} MACs/token`,
    ),
  ];
}

function needsNote({ name, needs }: CountedFile): string[] {
  if (needs === null) return [];
  const { memory, disk } = needs;
  const device = memory.device === 0 ? '' : ` and ${bytesText(memory.device)} on the device`;
  return [
    printable(`${name}: training takes about ${bytesText(memory.host)} of memory${device}, and up to ${bytesText(disk.total)} of disk`),
  ];
}

/** 109529856 -> 109,529,856 in every locale. */
function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}
