/**
 * The checkpoints of a trace that is being written: each stands there as the pages that changed since the one before.
 */
import type { Page, Snapshot } from '../../engine/index.ts';
import type { TraceWriter } from '../../traces/index.ts';

export class CheckpointWriter {
  private readonly writer: TraceWriter;
  /** Pages as of the last checkpoint. */
  private pages: ReadonlyMap<number, Page> = new Map();

  constructor(writer: TraceWriter) {
    this.writer = writer;
  }

  /** @throws TraceWriteError */
  add({ moment, ticks, digest, state, pages }: Snapshot): void {
    const changed = [];
    for (const [index, page] of pages) {
      if (this.pages.get(index)?.hash !== page.hash) changed.push({ index, hash: page.hash, bytes: page.bytes });
    }
    const cleared = [...this.pages.keys()].filter((index) => !pages.has(index));
    this.writer.checkpoint({ moment, ticks, digest, state, changed, cleared });
    this.pages = pages;
  }
}
