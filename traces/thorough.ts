/**
 * Decodes every record of a trace, in file order, and holds none: for whoever must know that all of it can be read.
 * Page contents are compared with their hashes when checkpoints are loaded.
 */
import { inOrder } from './columns.ts';
import type { Contents } from './contents.ts';
import { imageNames } from './images.ts';
import { matchesIndex } from './index-check.ts';
import { expectFormat } from './malformed.ts';
import type { Page } from './paged.ts';
import { decodeCheckpoint } from './records/checkpoint.ts';
import { decodeEnd } from './records/end.ts';
import { digestGap } from './records/header.ts';
import { imagePieces } from './records/image.ts';
import { KIND } from './records/kinds.ts';
import type { Position } from './types.ts';
import { contentOf, type Place, piecesOf, type RecordPlace } from './walk.ts';

/**
 * Returns the function that checks the next record of the file, before `contents` takes it.
 * @param first where the first block stands
 */
export function contentChecker(contents: Contents, first: Place): (record: RecordPlace) => void {
  const { source } = contents;
  const expectOrder = orderChecker();
  const expectPace = paceChecker(contents);
  /** @throws Malformed */
  return (record) => {
    if (record.kind === KIND.IMAGE) checkImage(contents, record);
    else if (record.kind === KIND.CHECKPOINT) checkPlaces(contents, record);
    else if (record.kind === KIND.END) expectPace([decodeEnd(contentOf(source, record))], 'end');
    else if (record.kind === KIND.INDEX) {
      expectFormat(matchesIndex(source, record, first), 'an index that agrees with the blocks');
    }
    const page = contents.pageAt(record);
    if (!page) return;
    expectOrder(record.kind, page);
    if (record.kind === KIND.DIGESTS) expectPace(rowsOf(page), 'digests');
    else if (record.kind === KIND.CHECKPOINT) expectPace(rowsOf(page), 'checkpoint');
  };
}

function* rowsOf<R>(page: Page<R>): Generator<R> {
  for (let n = 0; n < page.length; n++) yield page.at(n)!;
}

/** Positions of the records of a kind never go back, from one record's blocks to the next's neither. */
function orderChecker(): (kind: number, page: Page<Position>) => void {
  const last = new Map<number, Position>();
  return (kind, page) => {
    const [begin, end] = [page.at(0), page.at(page.length - 1)];
    const before = last.get(kind);
    expectFormat(!before || !begin || inOrder(before, begin), 'positions that never go back');
    if (end) last.set(kind, end);
  };
}

/**
 * A digest stands at least every `digestEvery` moments: what vouches for a position is never far from what did before.
 */
function paceChecker(
  contents: Contents,
): (positions: Iterable<Position>, what: 'digests' | 'checkpoint' | 'end') => void {
  let digest: Position | undefined;
  let furthest: Position | undefined;
  return (positions, what) => {
    const gap = digestGap(contents.header!);
    // The header stands before everything that is paced.
    digest ??= contents.header!.cut?.from ?? { moment: 0, ticks: 0 };
    furthest ??= digest;
    for (const at of positions) {
      expectFormat(what !== 'end' || inOrder(furthest!, at), 'an end behind everything else');
      const isNear = at.moment - digest.moment <= gap;
      expectFormat(isNear, `a digest every ${gap} instructions, found moment ${at.moment} after ${digest.moment}`);
      if (what === 'digests') digest = at;
      if (inOrder(furthest!, at)) furthest = at;
    }
  };
}

function checkImage(contents: Contents, record: RecordPlace): void {
  const name = imageNames(contents.header!)[contents.count(KIND.IMAGE)];
  expectFormat(name !== undefined, 'an image that the header names');
  contents.source.batch(() => {
    for (const _ of imagePieces(piecesOf(contents.source, record), name));
  });
}

/** The pages of a checkpoint stand before it. */
function checkPlaces(contents: Contents, record: RecordPlace): void {
  const { changed } = decodeCheckpoint(contentOf(contents.source, record));
  let pages: RecordPlace | undefined;
  for (let n = 0; n < changed.length; n++) {
    const { block, slot } = changed.at(n);
    if (pages?.sequence !== block) pages = contents.inBlock(KIND.PAGES, block);
    expectFormat(pages !== undefined && slot < pages.records, `page ${slot} in block ${block} to stand before it`);
  }
}
