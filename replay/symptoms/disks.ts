/**
 * What disks hold at the end of a run that they do not at the end of its golden run. Relies on the golden run having
 * ended, and on the failed one having had the time to: what is not written yet is no difference.
 */
import { diskPlace, imagePage, type Page } from '../../engine/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { hadTimeFor, type Known } from './cover.ts';
import { endPlace } from './place.ts';
import type { DiskSymptom } from './types.ts';

/** One for each disk that differs. Moves both timelines. @throws TraceError when a run leaves its recording */
export function otherDisks(
  a: TraceTimeline,
  g: TraceTimeline,
  known: { readonly a: Known; readonly g: Known },
): DiskSymptom[] {
  if (known.g.ended === undefined || !hadTimeFor(known.a, g.last.ticks)) return [];
  const { virtio = [] } = a.machine.config;
  if (!virtio.some(({ kind }) => kind === 'block')) return [];
  const [ofA, ofG] = [writtenPages(a), writtenPages(g)];
  const found = new Map<number, DiskSymptom>();
  for (const index of [...new Set([...ofA.keys(), ...ofG.keys()])].sort((x, y) => x - y)) {
    const [pageA, pageG] = [ofA.get(index), ofG.get(index)];
    if (pageA?.hash === pageG?.hash) continue;
    // A page that was written with what the image has there is no other one.
    const [bytesA, bytesG] = [pageA, pageG].map((page) => page?.bytes ?? imagePage(virtio, index)) as [
      Uint8Array,
      Uint8Array,
    ];
    const byte = bytesA.findIndex((value, n) => value !== bytesG[n]);
    if (byte < 0) continue;
    const { slot, offset } = diskPlace(index)!;
    const first = found.get(slot);
    if (first) found.set(slot, { ...first, pages: first.pages + 1 });
    else {
      const values = { a: bytesA[byte]!, g: bytesG[byte]! };
      const ends = { at: endPlace(a), golden: endPlace(g) };
      found.set(slot, { kind: 'disk', ...ends, slot, pages: 1, offset: offset + byte, ...values });
    }
  }
  return [...found.values()];
}

function writtenPages(run: TraceTimeline): Map<number, Page> {
  run.toTicks(run.last.ticks, 'applied');
  return new Map([...run.machine.snapshot().pages].filter(([index]) => diskPlace(index) !== undefined));
}
