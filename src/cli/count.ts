import { resolve } from 'node:path';
import type { ConfigFinding } from '../config/configFile';
import { experimentName } from '../config/experimentName';
import { loadConfig } from '../config/loadConfig';
import { choicesVary, mostChoices } from '../config/moeShape';
import { readTextFromDisk } from '../config/readTextFromDisk';
import { familyJson, familyTable } from '../language/familyTable';
import type { ModelCount } from '../models/count';
import { buildLanguageModel } from '../models/languageModel';
import { attentionCosts } from '../parity/attentionCosts';
import { modelCost } from '../parity/closedForm/modelCost';
import { baselineFile, compareWithBaseline } from '../parity/compareWithBaseline';
import { trainingNeeds } from '../worker/runNeeds';
import { causalityJson } from './causalityText';
import { exitCode, WrongUse } from './command';
import type { Command } from './command';
import type { CountedFile } from './countedFile';
import { countText } from './countText';
import { writeFindings } from './findings';

export const command: Command = {
  summary: 'Count the parameters and MACs of configs, and compare them with their baselines.',
  usage: 'count FILE... [--layers] [--json]',
  options: { layers: { type: 'boolean' } },
  async run({ positionals, values, stdout, stderr, cwd }) {
    if (positionals.length === 0) throw new WrongUse('Name at least one config, as in moe-lab count smoe.moe.yaml.');
    const counted: CountedFile[] = [];
    const findings: ConfigFinding[] = [];
    for (const file of positionals) {
      const config = loadConfig(resolve(cwd, file), readTextFromDisk);
      const { experiment } = config;
      const { count, parity, causality, findings: own } = compareWithBaseline(config, readTextFromDisk);
      findings.push(...own);
      if (count === undefined || experiment === undefined) continue;
      const { model } = experiment;
      counted.push({
        file,
        name: experimentName(file, experiment),
        experiment,
        count,
        parity,
        causality,
        attention: model.attention.moe === undefined ? null : attentionCosts(count, model),
        needs: trainingNeeds(experiment, buildLanguageModel(experiment)),
        family:
          familyTable({ loaded: config, count, baseline: parity === null ? undefined : baselineOf(config.file, parity.baseline) }) ?? null,
      });
    }
    writeFindings(findings, stderr, cwd);
    if (values['json'] === true) stdout.write(`${JSON.stringify({ schemaVersion: 1, models: counted.map(asJson) })}\n`);
    else if (counted.length > 0) stdout.write(`${countText(counted, values['layers'] === true)}\n`);
    return findings.some((finding) => finding.severity === 'error') ? exitCode.findings : exitCode.done;
  },
};

function baselineOf(file: string, name: string): { readonly name: string; readonly count: ModelCount } | undefined {
  const { experiment } = loadConfig(baselineFile(file, name), readTextFromDisk);
  return experiment && { name, count: modelCost(experiment.model) };
}

/** The published form of one model; its keys are a contract with other programs. Sizes of what training takes are in bytes. */
function asJson({ file, name, experiment: { model }, count, parity, causality, attention, needs, family }: CountedFile): object {
  const varies = model.moe !== undefined && choicesVary(model.moe);
  return {
    file,
    name,
    parameters: count.parameters,
    activeIsUpperBound: count.activeIsUpperBound,
    macsPerToken: count.macsPerToken,
    routedMacsPerToken: count.routed,
    attentionMacsPerToken: count.attention,
    attentionCosts: attention,
    varyingK: model.moe === undefined || !varies ? null : { counted: model.moe.top_k, most: mostChoices(model, model.moe) },
    layers: count.layers,
    parity,
    sweep: family && familyJson(family),
    training: needs && { memory: needs.memory, disk: needs.disk },
    ...causalityJson(causality),
  };
}
