/** Small pictures in the colour of the text around them, 16 units square. */

const namespace = 'http://www.w3.org/2000/svg';

type Attributes = Readonly<Record<string, string | number>>;

export function svg(tag: string, attributes: Attributes, ...children: readonly Node[]): SVGElement {
  const created = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, String(value));
  created.append(...children);
  return created;
}

const shapes = {
  stop: [{ d: 'M4 4H12V12H4z', fill: 'currentColor' }],
  config: [
    { d: 'M3.5 1.5H9L12.5 5V14.5H3.5z', fill: 'none', stroke: 'currentColor' },
    { d: 'M5.5 7.5H10.5M5.5 9.5H10.5M5.5 11.5H8.5', stroke: 'currentColor' },
  ],
  close: [{ d: 'M4 4L12 12M12 4L4 12', stroke: 'currentColor', 'stroke-width': 1.2 }],
} satisfies Record<string, readonly Attributes[]>;

export type IconName = keyof typeof shapes;

export function icon(name: IconName): SVGElement {
  const paths = shapes[name].map((path) => svg('path', path));
  return svg('svg', { viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' }, ...paths);
}
