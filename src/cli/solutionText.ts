import { comparedNames } from '../parity/comparedPart';
import { formatResidual } from '../parity/formatCount';
import { sizesText } from '../parity/solver/choiceText';
import type { ParityTarget, Solution } from '../parity/solver/solve';
import { printable } from './terminal/printable';
import { textTable } from './textTable';

const aims: Readonly<Record<ParityTarget, string>> = {
  both: 'MACs and parameters',
  macs: 'MACs',
  parameters: 'parameters',
};

/** A table of the choices, residuals with and without what chooses experts, the real solution above it, and remarks below. */
export function solutionText(
  file: string,
  baseline: string,
  { scope, exact, exactWithRouter, choices }: Solution,
  target: ParityTarget,
  remarks: readonly string[] = [],
): string {
  const heading = `${file} at the ${aims[target]} of ${baseline}; residuals are those of ${comparedNames[scope]}`;
  const lines = [
    printable(heading),
    exactLine('exactly', exact),
    exactLine('with router', exactWithRouter),
    '',
    choices.length === 0
      ? 'No sizes that the config accepts come near; change its heads, the layers left out, or the baseline.'
      : textTable(
          [
            ['sizes', 'MACs', 'with router', 'parameters', 'with router', 'model MACs', 'model parameters'],
            ...choices.map((choice) => [
              sizesText(choice.changes),
              ...[choice.macs, choice.macsWithRouter, choice.parameters, choice.parametersWithRouter].map((residual) =>
                formatResidual(residual),
              ),
              ...[choice.model.macsWithRouter, choice.model.parameters].map((residual) => formatResidual(residual)),
            ]),
          ],
          [false, true, true, true, true, true, true],
        ),
    ...(remarks.length === 0 ? [] : ['', ...remarks]),
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}

function exactLine(label: string, sizes: Readonly<Record<string, number>>): string {
  const texts = Object.entries(sizes).map(([key, size]) => `${key.replace(/^model\./, '')} ${Number(size.toFixed(2))}`);
  return `  ${label}: ${texts.length === 0 ? 'impossible with the other sizes as they are' : texts.join(', ')}`;
}
