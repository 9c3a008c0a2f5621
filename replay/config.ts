/**
 * Machine configurations and inputs, to and from what a trace holds. The one place that knows both sides: `traces` takes
 * configurations and events for plain data. Checks everything that comes out of a file.
 */
import {
  ENGINE_BEHAVIOUR,
  type Fault,
  type Image,
  type Input,
  type InputEvent,
  type MachineConfig,
} from '../engine/index.ts';
import { type ImageContent, type Trace, TraceError, type TraceHeaderFields, type TraceInput } from '../traces/index.ts';
import type { RecordOptions } from './types.ts';
import { TOOL_VERSION } from './version.ts';

const ROLES = ['bios', 'kernel', 'initrd'] as const;

/** Header fields of a recording. */
export function headerFields(options: RecordOptions): TraceHeaderFields {
  const { config } = options;
  return {
    engineBehaviour: ENGINE_BEHAVIOUR,
    toolVersion: TOOL_VERSION,
    machine: {
      harts: config.harts,
      ramBytes: config.ramBytes,
      quantum: { ...config.quantum, seed: config.quantum.seed.toString() },
      append: config.append,
    },
    digestEvery: options.digestEvery,
    checkpointEvery: options.checkpointEvery,
    commandLine: options.commandLine,
  };
}

/** The images of a configuration, to be stored in its trace. */
export function imageContents(config: MachineConfig): ImageContent[] {
  return ROLES.flatMap((role) => {
    const image = config[role];
    return image ? [{ role, name: image.name, bytes: image.bytes }] : [];
  });
}

/**
 * The machine that a trace was recorded on.
 * @throws TraceError `incompatible` when it was recorded under another engine behaviour; `no-image` or `damaged` when
 * an image cannot be read
 */
export function configFromTrace(trace: Trace): MachineConfig {
  const { machine, engineBehaviour, toolVersion } = trace.header;
  if (engineBehaviour !== ENGINE_BEHAVIOUR) {
    throw new TraceError(
      'incompatible',
      trace.path,
      `recorded by dejavm ${toolVersion} with engine behaviour ${engineBehaviour}, this dejavm has ${ENGINE_BEHAVIOUR}; replay it with that version, or record the run again`,
    );
  }
  const bios = trace.image('bios');
  if (!bios) throw new TraceError('no-image', trace.path, 'has no firmware image; record the run again');
  const kernel = trace.image('kernel');
  const initrd = trace.image('initrd');
  return {
    harts: machine.harts,
    ramBytes: machine.ramBytes,
    quantum: { policy: machine.quantum.policy, ticks: machine.quantum.ticks, seed: seedOf(trace) },
    append: machine.append,
    bios,
    ...(kernel ? { kernel } : {}),
    ...(initrd ? { initrd } : {}),
  } satisfies MachineConfig & { readonly bios: Image };
}

function seedOf(trace: Trace): bigint {
  const { seed } = trace.header.machine.quantum;
  if (/^\d{1,20}$/.test(seed)) return BigInt(seed);
  throw new TraceError(
    'damaged',
    trace.path,
    `its schedule seed is ${JSON.stringify(seed)}, expected a decimal number`,
  );
}

/** A trace record of an input. */
export function traceInput(input: Input): TraceInput {
  const { kind, ...data } = input.event;
  return { moment: input.moment, ticks: input.ticks, kind, data };
}

/** The inputs of a trace, in order. @throws TraceError `damaged` when one is not what this version records */
export function inputsFromTrace(trace: Trace): Input[] {
  return trace.inputs.map(({ moment, ticks, kind, data }) => {
    const event = typeof data === 'object' && data !== null ? eventOf(kind, data as Fields) : undefined;
    if (event) return { moment, ticks, event };
    throw new TraceError(
      'damaged',
      trace.path,
      `the input at moment ${moment} is not one that this dejavm knows (${kind})`,
    );
  });
}

type Fields = Readonly<Record<string, unknown>>;

function eventOf(kind: string, data: Fields): InputEvent | undefined {
  const { bytes, paddr, fault } = data;
  if (kind === 'console' && bytes instanceof Uint8Array) return { kind, bytes };
  if (kind === 'poke' && bytes instanceof Uint8Array && isNatural(paddr)) return { kind, paddr, bytes };
  if (kind !== 'fault' || typeof fault !== 'object' || fault === null) return undefined;
  const known = faultOf(fault as Fields);
  return known && { kind, fault: known };
}

function faultOf({ model, hart, register, bit, paddr }: Fields): Fault | undefined {
  if (model === 'failstop' && isNatural(hart)) return { model, hart };
  if (
    model === 'register' &&
    isNatural(hart) &&
    isNatural(register) &&
    isNatural(bit) &&
    register >= 1 &&
    register <= 32 &&
    bit < 64
  ) {
    return { model, hart, register, bit };
  }
  if (model === 'memory' && isNatural(paddr) && isNatural(bit) && bit < 8) return { model, paddr, bit };
  return undefined;
}

const isNatural = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
