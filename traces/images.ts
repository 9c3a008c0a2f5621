/** Loads the images of a trace by role, each content once while it is in use. */
import type { Contents } from './contents.ts';
import { TraceError } from './errors.ts';
import { Malformed } from './malformed.ts';
import { imageBytes, imagePieces } from './records/image.ts';
import { KIND } from './records/kinds.ts';
import type { Break } from './scan.ts';
import type { Trace, TraceHeader } from './types.ts';
import { piecesOf, type RecordPlace } from './walk.ts';

/** SHA-256 of each distinct image, in the order in which their records stand: that of their first mention. */
export const imageNames = ({ images }: TraceHeader): string[] => [...new Set(images.map(({ sha256 }) => sha256))];

/** Returns the function that loads the image of a role. */
export function imageLoader(contents: Contents, header: TraceHeader, broken: Break | undefined): Trace['image'] {
  const { source } = contents;
  const names = imageNames(header);
  const loaded = new Map<string, WeakRef<Uint8Array>>();
  return (role) => {
    const image = header.images.find((candidate) => candidate.role === role);
    if (!image) return undefined;
    const { name, sha256 } = image;
    const known = loaded.get(sha256)?.deref();
    if (known) return { name, bytes: known };
    const what = `the ${role} image (${name})`;
    const record = contents.group(KIND.IMAGE, names.indexOf(sha256));
    if (!record) throw missing(source.path, what, broken);
    try {
      const bytes = readImage(contents, record, sha256);
      loaded.set(sha256, new WeakRef(bytes));
      return { name, bytes };
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw new TraceError('damaged', source.path, `${what} is damaged: ${error.message}`);
    }
  };
}

function readImage({ source }: Contents, record: RecordPlace, sha256: string): Uint8Array {
  const bytes = new Uint8Array(imageBytes(record.rawBytes));
  let at = 0;
  source.batch(() => {
    for (const piece of imagePieces(piecesOf(source, record), sha256)) {
      // Memory that holds zeros already is not touched: an empty disk takes none.
      if (!isZero(piece)) bytes.set(piece, at);
      at += piece.length;
    }
  });
  return bytes;
}

const ZEROS = new Uint8Array(1 << 20);
const isZero = (piece: Uint8Array): boolean => Buffer.compare(piece, ZEROS.subarray(0, piece.length)) === 0;

function missing(path: string, what: string, broken: Break | undefined): TraceError {
  // Reading stops at the first damage: the image, or something before it, may be what is damaged.
  if (!broken || broken.kind === 'truncated') {
    return new TraceError('no-image', path, `${what} was cut off; record the run again`);
  }
  const message = `${what} cannot be read: ${broken.message}, at byte ${broken.offset}; use another copy of the file`;
  return new TraceError('damaged', path, message);
}
