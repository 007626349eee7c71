import { css } from '../shared/colour';
import { element } from '../shared/element';
import type { Theme } from '../shared/theme';
import { paletteOf, ratioColour, SPAN } from './heatmapColour';

const width = 168;
const height = 10;

/** The colour scale of the heatmap with its meaning. */
export class HeatmapLegend {
  private readonly bar = element('canvas', { class: 'legend-bar', width, height, 'aria-hidden': 'true' });
  readonly element = element(
    'div',
    {
      class: 'heatmap-legend',
      role: 'img',
      'aria-label':
        'Colours: from an eighth of the even share, over the even share, to eight times the even share. A cross marks an unused expert.',
    },
    element('span', {}, 'Times uniform'),
    element('span', { class: 'legend-scale' }, element('span', {}, '⅛'), this.bar, element('span', {}, '8×')),
    element('span', { class: 'legend-note' }, '1× in the middle, × unused'),
  );

  update(theme: Theme): void {
    const context = this.bar.getContext('2d');
    if (context === null) return;
    const palette = paletteOf(theme);
    for (let x = 0; x < width; x++) {
      context.fillStyle = css(ratioColour(2 ** (SPAN * ((2 * x) / (width - 1) - 1)), palette));
      context.fillRect(x, 0, 1, height);
    }
    context.fillStyle = theme.foreground;
    context.fillRect(Math.floor(width / 2), 0, 1, height);
  }
}
