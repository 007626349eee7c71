/**
 * How a routed layer or a retrieval is called to people: `layers.3.moe` is `layer 3`, an attention layer's side stands beside it. A name of
 * another kind stays as it is.
 */
export function layerName(name: string): string {
  const [, index, part = '', side] = /^layers\.(\d+)\.(moe|product_keys|attention)(?:\.(source|destination))?$/.exec(name) ?? [];
  if (index === undefined) return name;
  const what =
    part === 'attention' ? (side === undefined ? ' attention' : ` attention, ${side}`) : part === 'product_keys' ? ' retrieval' : '';
  return `layer ${index}${what}`;
}
