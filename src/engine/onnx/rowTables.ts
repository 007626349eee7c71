import type { Program } from '../../graph/program';
import type { StepScalars } from '../engine';
import { adamwScalars } from './adamw';
import { lazyAdamwUpdate, type LazyTable } from './lazyAdamw';
import { RowGradients, type RowPart } from './rowGradients';
import { floatsOf, integersOf, type Outputs } from './runtimeSession';
import type { GradientOutputs } from './trainingGraph';

type PartNames = Extract<GradientOutputs, { kind: 'rows' }>['parts'];

interface Table {
  /** Index into program.parameters. */
  readonly index: number;
  readonly group: string;
  readonly parts: PartNames;
  readonly lazy: LazyTable;
}

/** The parameters of a program whose gradient is rows of a table, on the host: what a step does with them on every device. */
export class RowTables {
  private readonly tables: readonly Table[];

  /** `lazyOf`: the arrays of a parameter, by its index. */
  constructor(
    private readonly program: Program,
    gradients: readonly GradientOutputs[],
    lazyOf: (index: number) => LazyTable,
  ) {
    this.tables = gradients.flatMap((gradient, index) => {
      const group = program.parameters[index]?.group ?? '';
      return gradient.kind === 'rows' ? [{ index, group, parts: gradient.parts, lazy: lazyOf(index) }] : [];
    });
  }

  begin(): RowStep {
    return new RowStep(this.program, this.tables);
  }
}

/** One step: the row gradients of its microbatches, their norm, and the update. */
export class RowStep {
  /** Per table. */
  private readonly parts: readonly RowPart[][];
  private sums: readonly RowGradients[] | undefined;

  constructor(
    private readonly program: Program,
    private readonly tables: readonly Table[],
  ) {
    this.parts = tables.map(() => []);
  }

  /** Once per microbatch. The outputs' arrays are kept until the update. */
  add(outputs: Outputs): void {
    this.tables.forEach(({ parts }, table) => {
      for (const { indices, coefficients, vectors } of parts) {
        this.parts[table]?.push({
          indices: integersOf(outputs, indices),
          coefficients: floatsOf(outputs, coefficients),
          vectors: floatsOf(outputs, vectors),
        });
      }
    });
  }

  /** Of the sum over the microbatches. */
  sumOfSquares(): number {
    return this.gradients().reduce((total, gradients) => total + gradients.sumOfSquares(), 0);
  }

  /** `changed` hears of each table which rows are new. */
  update(scalars: StepScalars, gradientScale: number, changed?: (index: number, rows: Int32Array) => void): void {
    this.gradients().forEach((gradients, place) => {
      const { index, group, lazy } = this.tables[place] as Table;
      lazyAdamwUpdate(lazy, gradients, adamwScalars(this.program.optimiser, group, { ...scalars, gradientScale }));
      changed?.(index, gradients.rows);
    });
  }

  private gradients(): readonly RowGradients[] {
    this.sums ??= this.tables.map(({ lazy }, place) => new RowGradients(this.parts[place] ?? [], lazy.width));
    return this.sums;
  }
}
