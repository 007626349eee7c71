import type { Remedy } from '../../config/remedy';
import { formatResidual } from '../formatCount';
import type { Choice } from './solve';

const [width, experts] = ['model.moe.expert_width', 'model.moe.experts'];

/** `768 x 41`, as papers write experts by their width and number; `heads 3, top_k 3, 512 x 93`; other sizes by their keys: `ffn.width 2048`. */
export function sizesText({ changes }: Pick<Choice, 'changes'>): string {
  const pair = changes[width] !== undefined && changes[experts] !== undefined;
  const named = Object.entries(changes).filter(([key]) => !pair || (key !== width && key !== experts));
  const texts = named.map(([key, value]) => `${key.replace(/^model\.(?:moe\.|product_keys\.)?/, '')} ${value}`);
  return [...texts, ...(pair ? [`${changes[width]} x ${changes[experts]}`] : [])].join(', ');
}

/** `768 x 41: MACs 0.00 % (+0.54 % with router), parameters −0.78 % (−0.76 % with router)`. */
export function choiceTitle(choice: Choice): string {
  const axis = (without: number, withRouter: number): string => {
    const [one, other] = [formatResidual(without), formatResidual(withRouter)];
    return one === other ? one : `${one} (${other} with router)`;
  };
  const { macs, macsWithRouter, parameters, parametersWithRouter } = choice;
  return `${sizesText(choice)}: MACs ${axis(macs, macsWithRouter)}, parameters ${axis(parameters, parametersWithRouter)}`;
}

/** What makes a config the one that is chosen. Keys that have the value already change nothing. */
export function remedyOfChoice(choice: Choice): Remedy {
  const changes = Object.entries(choice.changes).map(([key, value]) => ({ kind: 'set', path: key.split('.'), value }) as const);
  return { title: choiceTitle(choice), changes };
}
