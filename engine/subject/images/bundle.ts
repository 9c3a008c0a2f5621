/**
 * The bundle of guest images, as engine/subject/lazarus/bundle.h declares it: a header of one page, then the images,
 * each at a page boundary. Written for Lazarus and the PrivVM's toolstack to read in place.
 */
import { invariant } from '../../base/index.ts';

const MAGIC = 'LBUNDLE1';
const MAX_ENTRIES = 15;
const NAME_BYTES = 16;
const HEADER_BYTES = 16;
const ENTRY_BYTES = 32;
const PAGE_BYTES = 4096;

export interface BundleEntry {
  /** At most 15 ASCII characters. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The bundle with these images, in this order. */
export function makeBundle(entries: readonly BundleEntry[]): Uint8Array {
  invariant(entries.length <= MAX_ENTRIES, `a bundle holds ${MAX_ENTRIES} images, not ${entries.length}`);
  const pagesUp = (bytes: number) => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  const size = entries.reduce((sum, { bytes }) => sum + pagesUp(bytes.length), PAGE_BYTES);
  const bundle = new Uint8Array(size);
  const view = new DataView(bundle.buffer);
  bundle.set(new TextEncoder().encode(MAGIC));
  view.setBigUint64(8, BigInt(entries.length), true);
  let offset = PAGE_BYTES;
  for (const [n, { name, bytes }] of entries.entries()) {
    invariant(/^[\x21-\x7e]+$/.test(name) && name.length < NAME_BYTES, `no name for a bundled image: ${name}`);
    const at = HEADER_BYTES + ENTRY_BYTES * n;
    bundle.set(new TextEncoder().encode(name), at);
    view.setBigUint64(at + NAME_BYTES, BigInt(offset), true);
    view.setBigUint64(at + NAME_BYTES + 8, BigInt(bytes.length), true);
    bundle.set(bytes, offset);
    offset += pagesUp(bytes.length);
  }
  return bundle;
}

/** The images in a bundle; undefined when it is none. */
export function readBundle(bundle: Uint8Array): BundleEntry[] | undefined {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const text = (at: number, bytes: number) => new TextDecoder('latin1').decode(bundle.subarray(at, at + bytes));
  if (bundle.length < PAGE_BYTES || text(0, MAGIC.length) !== MAGIC) return undefined;
  const count = Number(view.getBigUint64(8, true));
  if (count > MAX_ENTRIES) return undefined;
  const entries = Array.from({ length: count }, (_, n) => {
    const at = HEADER_BYTES + ENTRY_BYTES * n;
    const offset = Number(view.getBigUint64(at + NAME_BYTES, true));
    const end = offset + Number(view.getBigUint64(at + NAME_BYTES + 8, true));
    return {
      name: text(at, NAME_BYTES).replace(/\0.*$/s, ''),
      bytes: bundle.subarray(offset, end),
      fits: end <= bundle.length,
    };
  });
  return entries.every(({ fits }) => fits) ? entries.map(({ name, bytes }) => ({ name, bytes })) : undefined;
}
