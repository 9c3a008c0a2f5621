/**
 * The header record: one MessagePack map with the run's whole configuration. Fields are checked one by one, unknown
 * ones ignored (a newer minor version may add some). Images are named here by SHA-256; their content has its own
 * records.
 */
import { inOrder } from '../columns.ts';
import { sha256 } from '../hash.ts';
import { expectFormat } from '../malformed.ts';
import { pack, unpack } from '../msgpack.ts';
import type { Preamble } from '../preamble.ts';
import type { Position, TraceCut, TraceDevice, TraceHeader, TraceImage } from '../types.ts';

/**
 * Instructions between two digests, at most, whatever the header says: what a file claims without vouching for it is
 * never longer. Some seconds of a run.
 */
export const MAX_DIGEST_GAP: number = 2 ** 32;
/** Instructions that may lie between two digests of a trace. */
export const digestGap = ({ digestEvery }: TraceHeader): number => Math.min(digestEvery, MAX_DIGEST_GAP);
/** MessagePack values of a header. */
const MAX_VALUES = 2 ** 16;
/** Command line and kernel parameters are what can be long: operating systems allow 2 MiB. */
export const MAX_HEADER_BYTES: number = 1 << 22;

/** What the recorder says; format version, image hashes and id are derived. */
export type TraceHeaderFields = Omit<TraceHeader, 'formatMajor' | 'formatMinor' | 'id' | 'images'>;

/**
 * Completes a header; its id is the first 16 digits of the SHA-256 of everything else, so equal runs have equal ids.
 */
export function completeHeader(
  fields: TraceHeaderFields,
  images: readonly TraceImage[],
  formatMajor: number,
  formatMinor: number,
): TraceHeader {
  const { machine } = fields;
  const { policy, ticks, seed } = machine.quantum;
  const body = {
    formatMajor,
    formatMinor,
    engineBehaviour: fields.engineBehaviour,
    toolVersion: fields.toolVersion,
    machine: {
      harts: machine.harts,
      ramBytes: machine.ramBytes,
      quantum: { policy, ticks, seed },
      append: machine.append,
      ...(machine.seed !== undefined && { seed: machine.seed }),
      ...(machine.wallClock !== undefined && { wallClock: machine.wallClock }),
      ...(machine.reboots !== undefined && { reboots: machine.reboots }),
      ...(machine.devices && { devices: machine.devices.map(plainDevice) }),
    },
    images: images.map((image) => ({ role: image.role, name: image.name, sha256: image.sha256 })),
    digestEvery: fields.digestEvery,
    checkpointEvery: fields.checkpointEvery,
    commandLine: [...fields.commandLine],
    ...(fields.cut && { cut: plainCut(fields.cut) }),
  };
  return { ...body, id: idOf(body) };
}

/** Names a run after everything else that its header says. */
const idOf = (body: object): string => sha256(pack(body, MAX_VALUES)).slice(0, 16);

export const encodeHeader = (header: TraceHeader): Uint8Array => pack(header, MAX_VALUES);

/**
 * @param preamble the file's: the header says the same version
 * @throws Malformed when a field is missing, of the wrong type, or not what another field says
 */
export function decodeHeader(bytes: Uint8Array, preamble: Pick<Preamble, 'major' | 'minor' | 'isCut'>): TraceHeader {
  const root = object(unpack(bytes, MAX_VALUES), 'header');
  expectFormat(
    root.formatMajor === preamble.major && root.formatMinor === preamble.minor,
    `format ${preamble.major}.${preamble.minor} as in the first bytes of the file`,
  );
  // Of the fields as they stand there: a newer version has more of them.
  const { id, ...rest } = root;
  expectFormat(id === idOf(rest), 'an id that follows from the other fields');
  expectFormat(
    (root.cut !== undefined) === preamble.isCut,
    'a header that says, as the preamble does, whether it is a cut',
  );
  const machine = object(root.machine, 'machine');
  const quantum = object(machine.quantum, 'machine.quantum');
  const policy = quantum.policy;
  expectFormat(policy === 'fixed' || policy === 'jittered', 'machine.quantum.policy fixed or jittered');
  return {
    formatMajor: natural(root, 'formatMajor'),
    formatMinor: natural(root, 'formatMinor'),
    engineBehaviour: natural(root, 'engineBehaviour'),
    toolVersion: text(root, 'toolVersion'),
    id: text(root, 'id'),
    machine: {
      harts: natural(machine, 'harts'),
      ramBytes: natural(machine, 'ramBytes'),
      quantum: { policy, ticks: natural(quantum, 'ticks'), seed: text(quantum, 'seed') },
      append: text(machine, 'append'),
      ...(machine.seed !== undefined && { seed: text(machine, 'seed') }),
      ...(machine.wallClock !== undefined && { wallClock: natural(machine, 'wallClock') }),
      ...(machine.reboots !== undefined && { reboots: flag(machine, 'reboots') }),
      ...(machine.devices !== undefined && { devices: list(machine, 'devices').map(decodeDevice) }),
    },
    images: list(root, 'images').map((item) => {
      const image = object(item, 'image');
      return { role: text(image, 'role'), name: text(image, 'name'), sha256: text(image, 'sha256') };
    }),
    digestEvery: pace(root, 'digestEvery'),
    checkpointEvery: pace(root, 'checkpointEvery'),
    commandLine: list(root, 'commandLine').map((word) => {
      expectFormat(typeof word === 'string', 'commandLine of strings');
      return word;
    }),
    ...(root.cut !== undefined && { cut: decodeCut(root.cut) }),
  };
}

const plainPosition = ({ moment, ticks }: Position): Position => ({ moment, ticks });
const plainCut = ({ of, from, to }: TraceCut): TraceCut => ({
  of,
  from: plainPosition(from),
  to: plainPosition(to),
});

function decodeCut(item: unknown): TraceCut {
  const cut = object(item, 'cut');
  const position = (name: string): Position => {
    const fields = object(cut[name], `cut.${name}`);
    return { moment: natural(fields, 'moment'), ticks: natural(fields, 'ticks') };
  };
  const [from, to] = [position('from'), position('to')];
  expectFormat(inOrder(from, to), 'a cut that does not end before it begins');
  return { of: text(cut, 'of'), from, to };
}

const plainDevice = ({ kind, slot, settings }: TraceDevice): TraceDevice => ({ kind, slot, settings: { ...settings } });

function decodeDevice(item: unknown): TraceDevice {
  const device = object(item, 'device');
  const settings = object(device.settings, 'settings of a device');
  const pairs = Object.keys(settings).map((name) => [name, text(settings, name)]);
  return { kind: text(device, 'kind'), slot: natural(device, 'slot'), settings: Object.fromEntries(pairs) };
}

type Fields = Record<string, unknown>;

function object(value: unknown, what: string): Fields {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
  expectFormat(isMap, `${what} to be a map`);
  return value as Fields;
}
function text(fields: Fields, name: string): string {
  const value = fields[name];
  expectFormat(typeof value === 'string', `${name} to be a string`);
  return value;
}
function natural(fields: Fields, name: string): number {
  const value = fields[name];
  expectFormat(Number.isSafeInteger(value) && (value as number) >= 0, `${name} to be a natural number`);
  return value as number;
}
function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  expectFormat(typeof value === 'boolean', `${name} to be true or false`);
  return value;
}
/** Instructions between two of a kind. */
function pace(fields: Fields, name: string): number {
  const value = natural(fields, name);
  expectFormat(value > 0, `${name} from 1`);
  return value;
}
function list(fields: Fields, name: string): unknown[] {
  const value = fields[name];
  expectFormat(Array.isArray(value), `${name} to be a list`);
  return value;
}
