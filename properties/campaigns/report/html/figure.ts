/** What a figure is, before the page sets it. */
import type { Draw } from './svg.ts';

export interface Figure {
  readonly id: string;
  /** HTML. */
  readonly legend: string;
  readonly draw: Draw;
  readonly caption: string;
}
