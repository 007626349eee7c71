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
  branch: [
    { d: 'M4.5 5.5V10.5M4.5 9C4.5 7 11.5 9 11.5 5.5', fill: 'none', stroke: 'currentColor', 'stroke-width': 1.2 },
    {
      d: 'M4.5 2.5a1.5 1.5 0 1 0 0 3a1.5 1.5 0 1 0 0-3zM4.5 10.5a1.5 1.5 0 1 0 0 3a1.5 1.5 0 1 0 0-3zM11.5 2.5a1.5 1.5 0 1 0 0 3a1.5 1.5 0 1 0 0-3z',
      fill: 'none',
      stroke: 'currentColor',
    },
  ],
  close: [{ d: 'M4 4L12 12M12 4L4 12', stroke: 'currentColor', 'stroke-width': 1.2 }],
  reset: [
    { d: 'M3 8a5 5 0 1 0 1.6-3.7', fill: 'none', stroke: 'currentColor', 'stroke-width': 1.2 },
    { d: 'M5.2 1.6L4.4 4.6L7.4 5.2', fill: 'none', stroke: 'currentColor', 'stroke-width': 1.2 },
  ],
  text: [{ d: 'M2.5 3.5H13.5M2.5 6.5H10.5M2.5 9.5H13.5M2.5 12.5H8.5', stroke: 'currentColor', 'stroke-width': 1.2 }],
  error: [
    { d: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13z', fill: 'none', stroke: 'currentColor' },
    { d: 'M5.5 5.5L10.5 10.5M10.5 5.5L5.5 10.5', stroke: 'currentColor', 'stroke-width': 1.2 },
  ],
  warning: [
    { d: 'M8 1.8L14.8 14H1.2z', fill: 'none', stroke: 'currentColor' },
    { d: 'M8 6V10.2M8 11.2V12.6', stroke: 'currentColor', 'stroke-width': 1.2 },
  ],
  information: [
    { d: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13z', fill: 'none', stroke: 'currentColor' },
    { d: 'M8 7V11.5M8 4.4V5.8', stroke: 'currentColor', 'stroke-width': 1.2 },
  ],
} satisfies Record<string, readonly Attributes[]>;

export type IconName = keyof typeof shapes;

export function icon(name: IconName): SVGElement {
  const paths = shapes[name].map((path) => svg('path', path));
  return svg('svg', { viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' }, ...paths);
}
