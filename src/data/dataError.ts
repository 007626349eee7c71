/** Keys from the top of a config to the value at fault, for example `['data', 'train', 0]`. */
export type ConfigPath = readonly (string | number)[];

/** Text that cannot be trained on, with the place in the config that asks for it and what the user can do next. */
export class DataError extends Error {
  override readonly name = 'DataError';
  constructor(
    message: string,
    readonly advice: string,
    readonly configPath: ConfigPath,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
