/**
 * Opens a `.djvm` file: checks every block, decodes the records, and gives whatever stands before the first damage.
 * Relies on scan.ts for structure and on records/ for contents; pages and images are decoded when asked for. Nothing is
 * ever guessed: what does not check is not shown. Does not check that the records describe a run; replay does.
 */
import { BLOCK_HEADER_BYTES, bodyIsIntact, decodeBody } from './block.ts';
import { concat } from './bytes.ts';
import { inOrder } from './columns.ts';
import { TraceError } from './errors.ts';
import { expectFormat, Malformed } from './malformed.ts';
import { checkpointLoader } from './pages.ts';
import { decodePreamble, FORMAT_MINOR, PREAMBLE_BYTES } from './preamble.ts';
import { CONSOLE, DIGESTS, NOTES, VM_DIGESTS } from './records/bulk.ts';
import { type CheckpointRecord, decodeCheckpoint, PAGE_BYTES, PAGES_PER_BLOCK } from './records/checkpoint.ts';
import { decodeEnd } from './records/end.ts';
import { decodeHeader } from './records/header.ts';
import { decodeImage } from './records/image.ts';
import { INDEX } from './records/index-record.ts';
import { decodeInputs } from './records/input.ts';
import { KIND, kindName } from './records/kinds.ts';
import { type Break, type PlacedBlock, scanBlocks } from './scan.ts';
import { type ByteSource, fileSource, memorySource } from './source.ts';
import type {
  Position,
  Trace,
  TraceConsole,
  TraceDigest,
  TraceEnd,
  TraceHeader,
  TraceInput,
  TraceNote,
  TraceVmDigest,
} from './types.ts';

/**
 * Opens a trace. A damaged or cut off one opens too when its header is intact: `damage` tells where it ends.
 * @throws TraceError `missing`, `unreadable`, `empty`, `not-a-trace`, `newer`, or `damaged` (no usable header)
 */
export function openTrace(path: string): Trace {
  return readTrace(fileSource(path));
}

/** As `openTrace`, from bytes in memory; `path` is what messages call it. @throws TraceError */
export function openTraceBytes(path: string, bytes: Uint8Array): Trace {
  return readTrace(memorySource(path, bytes));
}

function readTrace(source: ByteSource): Trace {
  return source.batch(() => {
    const preamble = decodePreamble(source.path, source.read(0, PREAMBLE_BYTES));
    const scan = scanBlocks(source, preamble);
    const contents = new Contents(source, scan.blocks);
    const broken = contents.decodeAll(preamble.minor > FORMAT_MINOR) ?? scan.damage;
    if (!contents.header) {
      const why = broken ? `: ${broken.message} at byte ${broken.offset}` : '';
      throw new TraceError('damaged', source.path, `the header cannot be read${why}; use another copy of the file`);
    }
    return traceOf(source, contents, contents.header, broken);
  });
}

function traceOf(source: ByteSource, contents: Contents, header: TraceHeader, broken: Break | undefined): Trace {
  const { inputs, digests, notes, checkpoints, end } = contents;
  const vouched = [end, digests.at(-1), checkpoints.at(-1)].filter((p) => p !== undefined);
  const last = vouched.reduce<Position>((a, b) => (b.ticks > a.ticks ? at(b) : a), { moment: 0, ticks: 0 });
  return {
    path: source.path,
    header,
    sizeBytes: source.sizeBytes,
    inputs,
    digests,
    vmDigests: contents.vmDigests,
    console: contents.console,
    notes,
    checkpoints: checkpoints.map((point) => ({ ...at(point), digest: point.digest })),
    end,
    damage: broken && { ...broken, lastGood: last },
    last,
    image: (role) => loadImage(source, contents, header, role, broken),
    checkpoint: checkpointLoader(source.path, checkpoints, (block) => contents.content(block)),
  };
}

const at = ({ moment, ticks }: Position): Position => ({ moment, ticks });

/** The records of the intact blocks, decoded in file order until one is not what the format allows. */
class Contents {
  header: TraceHeader | undefined;
  readonly inputs: TraceInput[] = [];
  readonly digests: TraceDigest[] = [];
  readonly vmDigests: TraceVmDigest[] = [];
  readonly console: TraceConsole[] = [];
  readonly notes: TraceNote[] = [];
  readonly checkpoints: CheckpointRecord[] = [];
  /** Blocks of each image, in the order of their first mention in the header. */
  readonly images: PlacedBlock[][] = [];
  end: TraceEnd | undefined;
  private readonly source: ByteSource;
  private readonly blocks: readonly PlacedBlock[];

  constructor(source: ByteSource, blocks: readonly PlacedBlock[]) {
    this.source = source;
    this.blocks = blocks;
  }

  /** Decodes every record; returns where and why it had to stop. */
  decodeAll(skipUnknown: boolean): Break | undefined {
    let group: PlacedBlock[] = [];
    for (const block of this.blocks) {
      group.push(block);
      if (block.continues) continue;
      const first = group[0]!;
      try {
        this.decodeGroup(group, skipUnknown);
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        const message = `${kindName(first.kind)} block ${first.sequence}: ${error.message}`;
        return { offset: first.offset, kind: 'malformed', message };
      }
      group = [];
    }
    return undefined;
  }

  /** Plain content of block `sequence`. @throws TraceError when the file changed since it was opened */
  content(sequence: number): Uint8Array {
    const block = this.blocks[sequence]!;
    const stored = this.source.read(block.offset + BLOCK_HEADER_BYTES, block.storedBytes);
    if (!bodyIsIntact(block, stored)) {
      throw new TraceError(
        'damaged',
        this.source.path,
        `block ${sequence} changed since the trace was opened; open it again`,
      );
    }
    return decodeBody(block, stored);
  }

  /** Content of a record that spans `group`. */
  joined(group: readonly PlacedBlock[]): Uint8Array {
    const pieces = group.map((block) => this.content(block.sequence));
    return pieces.length === 1 ? pieces[0]! : concat(pieces);
  }

  private decodeGroup(group: readonly PlacedBlock[], skipUnknown: boolean): void {
    const { kind, sequence, records } = group[0]!;
    expectFormat((kind === KIND.HEADER) === (sequence === 0), 'the header in the first block and nowhere else');
    expectFormat(this.end === undefined || kind === KIND.INDEX || skipUnknown, 'nothing but the index after the end');
    switch (kind) {
      case KIND.HEADER:
        this.header = decodeHeader(this.joined(group));
        break;
      case KIND.IMAGE:
        this.images.push([...group]);
        break;
      case KIND.INPUTS:
        extend(this.inputs, decodeInputs(this.joined(group), records));
        break;
      case KIND.CONSOLE:
        extend(this.console, CONSOLE.decode(this.joined(group), records));
        break;
      case KIND.NOTES:
        extend(this.notes, NOTES.decode(this.joined(group), records));
        break;
      case KIND.DIGESTS:
        extend(this.digests, DIGESTS.decode(this.joined(group), records));
        break;
      case KIND.VM_DIGESTS:
        extend(this.vmDigests, VM_DIGESTS.decode(this.joined(group), records));
        break;
      case KIND.PAGES:
        expectPages(group);
        break;
      case KIND.CHECKPOINT:
        extend(this.checkpoints, [this.decodeCheckpoint(group)]);
        break;
      case KIND.END:
        this.end = decodeEnd(this.joined(group));
        break;
      case KIND.INDEX:
        this.compareIndex(group);
        break;
      default:
        expectFormat(skipUnknown, 'a kind of block that this format version has');
    }
  }

  private decodeCheckpoint(group: readonly PlacedBlock[]): CheckpointRecord {
    const record = decodeCheckpoint(this.joined(group));
    for (const { block, slot } of record.changed) {
      const pages = this.blocks[block];
      const exists = pages?.kind === KIND.PAGES && block < group[0]!.sequence && slot < pages.records;
      expectFormat(exists, `page ${slot} in block ${block} to stand before its checkpoint`);
    }
    return record;
  }

  private compareIndex(group: readonly PlacedBlock[]): void {
    const rows = INDEX.decode(this.joined(group), group[0]!.records);
    const agrees = (row: (typeof rows)[number], i: number) => {
      const block = this.blocks[i]!;
      return row.offset === block.offset && row.kind === block.kind && row.check === block.check;
    };
    expectFormat(rows.length === group[0]!.sequence && rows.every(agrees), 'an index that agrees with the blocks');
  }
}

function expectPages(group: readonly PlacedBlock[]): void {
  const { records, rawBytes } = group[0]!;
  expectFormat(group.length === 1 && records <= PAGES_PER_BLOCK, 'at most 256 pages in one block');
  expectFormat(rawBytes === records * PAGE_BYTES, `${records} pages of 4096 bytes, found ${rawBytes} bytes`);
}

/** Appends records of a stream, whose positions never go back; all or none. */
function extend<R extends Position>(stream: R[], records: readonly R[]): void {
  let before: Position | undefined = stream.at(-1);
  for (const record of records) {
    expectFormat(!before || inOrder(before, record), 'positions that never go back');
    before = record;
  }
  for (const record of records) stream.push(record);
}

function loadImage(
  source: ByteSource,
  contents: Contents,
  header: TraceHeader,
  role: string,
  broken: Break | undefined,
): ReturnType<Trace['image']> {
  const image = header.images.find((candidate) => candidate.role === role);
  if (!image) return undefined;
  const names = [...new Set(header.images.map((candidate) => candidate.sha256))];
  const group = contents.images[names.indexOf(image.sha256)];
  if (!group) {
    const what = `the ${role} image (${image.name})`;
    // Reading stops at the first damage: the image, or something before it, may be what is damaged.
    if (broken && broken.kind !== 'truncated') {
      const message = `${what} cannot be read: ${broken.message}, at byte ${broken.offset}; use another copy of the file`;
      throw new TraceError('damaged', source.path, message);
    }
    throw new TraceError('no-image', source.path, `${what} was cut off; record the run again`);
  }
  try {
    const record = source.batch(() => contents.joined(group));
    return { name: image.name, bytes: decodeImage(record, image.sha256) };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new TraceError('damaged', source.path, `the ${role} image (${image.name}) is damaged: ${error.message}`);
  }
}
