/**
 * Machine configurations and inputs, to and from what a trace holds. The one place that knows both sides: `traces`
 * takes configurations and events for plain data. Checks everything that comes out of a file.
 */
import {
  checkMachine,
  ENGINE_BEHAVIOUR,
  type Input,
  type InputEvent,
  type MachineConfig,
  readFault,
  UserError,
} from '../../engine/index.ts';
import {
  convertRecords,
  type ImageContent,
  MAX_DIGEST_GAP,
  type RecordList,
  type Trace,
  TraceError,
  type TraceHeaderFields,
  type TraceInput,
} from '../../traces/index.ts';
import type { RecordOptions } from '../base/index.ts';
import { traceDevices, virtioFromTrace } from './config-devices.ts';
import { TOOL_VERSION } from './version.ts';

const ROLES = ['bios', 'kernel', 'initrd', 'dtb'] as const;

/** Header fields of a recording. @throws UserError for digests that are too far apart */
export function headerFields(options: RecordOptions): TraceHeaderFields {
  const { config } = options;
  if (options.digestEvery > MAX_DIGEST_GAP) {
    throw new UserError(`a digest every ${options.digestEvery} instructions: expected at most ${MAX_DIGEST_GAP}`);
  }
  return {
    engineBehaviour: ENGINE_BEHAVIOUR,
    toolVersion: TOOL_VERSION,
    machine: {
      harts: config.harts,
      ramBytes: config.ramBytes,
      quantum: { ...config.quantum, seed: config.quantum.seed.toString() },
      append: config.append,
      ...(config.seed !== undefined && { seed: config.seed.toString() }),
      ...(config.wallClock !== undefined && { wallClock: config.wallClock }),
      ...(config.reboots !== undefined && { reboots: config.reboots }),
      ...(config.virtio && { devices: traceDevices(config.virtio) }),
    },
    digestEvery: options.digestEvery,
    checkpointEvery: options.checkpointEvery,
    commandLine: options.commandLine,
  };
}

/** The images of a configuration, to be stored in its trace. */
export function imageContents(config: MachineConfig): ImageContent[] {
  const boot = ROLES.flatMap((role) => {
    const image = config[role];
    return image ? [{ role, name: image.name, bytes: image.bytes }] : [];
  });
  const disks = (config.virtio ?? []).flatMap((device) => (device.kind === 'block' ? [device.image] : []));
  return [...boot, ...disks.map(({ name, bytes }, n) => ({ role: `drive${n}`, name, bytes }))];
}

/**
 * The machine that a trace was recorded on.
 * @throws TraceError `incompatible` when it was recorded under another engine behaviour; `no-image` or `damaged` when
 * an image cannot be read
 */
export function configFromTrace(trace: Trace): MachineConfig {
  const { engineBehaviour, toolVersion } = trace.header;
  if (engineBehaviour !== ENGINE_BEHAVIOUR) {
    throw new TraceError(
      'incompatible',
      trace.path,
      `recorded by dejavm ${toolVersion} with engine behaviour ${engineBehaviour}, this dejavm has ${ENGINE_BEHAVIOUR}; ` +
        'replay it with that version, or record the run anew with `dejavm rerun`',
    );
  }
  return describedConfig(trace);
}

/**
 * The machine that a trace describes, under whatever engine behaviour it was recorded: built here, it may run
 * otherwise.
 * @throws TraceError `no-image` or `damaged` when an image or a setting cannot be read, or no such machine can be made
 */
export function describedConfig(trace: Trace): MachineConfig {
  const config = readConfig(trace);
  try {
    checkMachine(config);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new TraceError('damaged', trace.path, `describes a machine that cannot be made: ${error.message}`);
  }
  return config;
}

function readConfig(trace: Trace): MachineConfig {
  const { machine } = trace.header;
  const images = ROLES.flatMap((role) => {
    const image = trace.image(role);
    return image ? [[role, image] as const] : [];
  });
  return {
    harts: machine.harts,
    ramBytes: machine.ramBytes,
    quantum: {
      policy: machine.quantum.policy,
      ticks: machine.quantum.ticks,
      seed: seedOf(trace, machine.quantum.seed),
    },
    append: machine.append,
    ...Object.fromEntries(images),
    ...(machine.seed !== undefined && { seed: seedOf(trace, machine.seed) }),
    ...(machine.wallClock !== undefined && { wallClock: machine.wallClock }),
    ...(machine.reboots !== undefined && { reboots: machine.reboots }),
    ...(machine.devices && { virtio: virtioFromTrace(trace, machine.devices) }),
  };
}

function seedOf(trace: Trace, seed: string): bigint {
  if (/^\d{1,20}$/.test(seed)) return BigInt(seed);
  throw new TraceError('damaged', trace.path, `one of its seeds is ${JSON.stringify(seed)}, expected a decimal number`);
}

/** A trace record of an input. */
export function traceInput(input: Input): TraceInput {
  const { kind, ...data } = input.event;
  return { moment: input.moment, ticks: input.ticks, kind, data };
}

/**
 * The inputs of a trace, in order. Reading one throws TraceError `damaged` when it is not what this version records.
 */
export function inputsFromTrace(trace: Pick<Trace, 'inputs' | 'path'>): RecordList<Input> {
  return convertRecords(trace.inputs, ({ moment, ticks, kind, data }) => {
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
  const { bytes, paddr, fault, slot } = data;
  if (kind === 'console' && bytes instanceof Uint8Array) return { kind, bytes };
  if (kind === 'net' && bytes instanceof Uint8Array && isNatural(slot)) return { kind, slot, bytes };
  if (kind === 'poke' && bytes instanceof Uint8Array && isNatural(paddr)) return { kind, paddr, bytes };
  if (kind !== 'fault' || typeof fault !== 'object' || fault === null) return undefined;
  const known = readFault(fault as Fields);
  return known && { kind, fault: known };
}

const isNatural = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
