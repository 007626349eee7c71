/** A key of a config, from the outside in; of a list its index. */
export type KeyPath = readonly (string | number)[];
