import type { BlockView, DiagramView } from '../../src/extension/panels/configEditor-protocol';
import { amount } from '../shared/figures';
import { svg } from '../shared/icons';

/** Units of the drawing; it is as wide as its place, and its text as large as this makes it. */
const WIDTH = 420;
const FONT = 12;
const LINE = 16;
const PAD = 8;
const GAP = 12;
/** On the left of a group: how often it comes. */
const MARGIN = 44;
/** Width of a letter, on the safe side for a proportional font. */
const LETTER = 6.4;

interface Line {
  readonly text: string;
  readonly role: 'title' | 'size' | 'cost' | 'part';
  readonly indent: number;
}

/** A model from top to bottom: the embedding, the layers with what repeats drawn once, the logits. Sizes and costs stand in the blocks. */
export function diagramSvg(diagram: DiagramView): SVGElement {
  const drawing = new Drawing();
  drawing.block(diagram.input, 0);
  for (const { times, layers } of diagram.groups) {
    drawing.arrow();
    drawing.group(times, () => {
      for (const [index, { name, blocks }] of layers.entries()) {
        if (index > 0) drawing.arrow();
        drawing.label(name);
        for (const [at, block] of blocks.entries()) {
          if (at > 0) drawing.arrow();
          drawing.block(block, MARGIN);
        }
      }
    });
  }
  drawing.arrow();
  drawing.block(diagram.output, 0);
  return drawing.finish(diagram.description);
}

class Drawing {
  private y = 1;
  private readonly shapes: SVGElement[] = [];

  block(block: BlockView, left: number): void {
    const width = WIDTH - left - (left === 0 ? 1 : PAD);
    const lines = linesOf(block, Math.floor((width - 2 * PAD - 6) / LETTER));
    const height = lines.length * LINE + 2 * PAD - 4;
    this.shapes.push(
      svg('rect', { class: 'block', x: left + 0.5, y: this.y + 0.5, width: width - 1, height, rx: 3 }),
      svg('rect', { class: `stripe ${block.kind}`, x: left + 1, y: this.y + 1, width: 5, height: height - 1 }),
    );
    for (const [index, { text, role, indent }] of lines.entries()) {
      this.text(text, role, left + PAD + 6 + indent, this.y + PAD + index * LINE + FONT - 2);
    }
    this.y += height + 1;
  }

  arrow(): void {
    const middle = WIDTH / 2;
    const end = this.y + GAP;
    this.shapes.push(
      svg('path', {
        class: 'arrow',
        d: `M${middle} ${this.y}V${end - 1}M${middle - 3} ${end - 5}L${middle} ${end - 1}L${middle + 3} ${end - 5}`,
      }),
    );
    this.y = end;
  }

  label(text: string): void {
    this.text(text, 'label', MARGIN, this.y + FONT);
    this.y += LINE + 2;
  }

  /** What `draw` draws, in a frame that says how often it comes. */
  group(times: number, draw: () => void): void {
    const top = this.y;
    this.y += PAD;
    draw();
    this.y += PAD;
    this.shapes.push(svg('rect', { class: 'frame', x: 0.5, y: top + 0.5, width: WIDTH - 1, height: this.y - top - 1, rx: 5 }));
    if (times > 1) this.text(`× ${times}`, 'times', PAD, (top + this.y) / 2 + 5);
  }

  finish(description: string): SVGElement {
    const drawing = svg('svg', { class: 'diagram', viewBox: `0 0 ${WIDTH} ${this.y + 1}`, role: 'img' }, ...this.shapes);
    drawing.setAttribute('aria-label', description);
    return drawing;
  }

  private text(text: string, role: string, x: number, y: number): void {
    const created = svg('text', { class: role, x, y });
    created.textContent = text;
    this.shapes.push(created);
  }
}

function linesOf({ title, size, parts, ...cost }: BlockView, letters: number): Line[] {
  return [
    { text: title, role: 'title', indent: 0 },
    ...wrapped(size, letters).map((text): Line => ({ text, role: 'size', indent: 0 })),
    { text: costText(cost), role: 'cost', indent: 0 },
    ...parts.flatMap((part): Line[] => [
      ...wrapped([part.title, part.size].filter(Boolean).join('  '), letters - 3).map((text): Line => ({
        text,
        role: 'part',
        indent: PAD,
      })),
      { text: costText(part), role: 'cost', indent: PAD },
    ]),
  ];
}

function costText({ parameters, macsPerToken }: { readonly parameters: number; readonly macsPerToken: number }): string {
  return `${amount(parameters)} parameters · ${amount(macsPerToken)} MACs/token`;
}

function wrapped(text: string, letters: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= letters) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return text === '' ? [] : lines;
}
