/**
 * A scenario is everything that decides a run, as plain JSON: it is what properties draw, what shrinks, and what a
 * failure prints. Relies on the images being given; does not check that they are the ones the scenario was made for.
 */
import {
  type Image,
  type MachineConfig,
  parseFault,
  randomDisk,
  SECTOR_BYTES,
  shellLine,
  type VirtioConfig,
} from '../engine/index.ts';
import { formatTrigger, type PlannedInput, type Trigger } from '../replay/index.ts';

/** What is plugged into a virtio slot. A disk's content is a seed; networks are on the switch, with the station. */
export type ScenarioDevice =
  | {
      readonly kind: 'block';
      readonly slot: number;
      readonly sectors: number;
      readonly seed: number;
      readonly readOnly: boolean;
    }
  | { readonly kind: 'net' | 'console' | 'entropy'; readonly slot: number };

export interface Scenario {
  readonly harts: number;
  readonly ramMiB: number;
  readonly quantum: { readonly policy: 'fixed' | 'jittered'; readonly ticks: number; readonly seed: number };
  /** Kernel command line. */
  readonly append: string;
  /** At most one in each of slots 0 to 7; none unless given. */
  readonly devices?: readonly ScenarioDevice[];
  /** Seed of device latencies and of entropy. */
  readonly deviceSeed?: number;
  /** Console bytes, as text, and when they arrive. */
  readonly typed: readonly { readonly moment: number; readonly text: string }[];
  /** Faults in the text form of engine/faults (`failstop`, `register=x10,bit=5`), and when they hit. */
  readonly faults: readonly { readonly trigger: ScenarioTrigger; readonly fault: string }[];
  /** The run stops here if the machine has not stopped by itself. */
  readonly maxMoment: number;
}

/** Scenarios speak moments: virtual time and symbols depend on what runs. */
type ScenarioTrigger = Extract<Trigger, { readonly kind: 'moment' | 'hypervisor' }>;

export interface ScenarioImages {
  readonly bios: Image;
  readonly kernel?: Image;
  readonly initrd?: Image;
}

/** Where a command line finds software that does not come with the package. */
export interface ScenarioSoftware {
  /** Image flags: `-bios guest.bin`. */
  readonly flags: string;
  /** A command that makes the files, if they are not there anyway. */
  readonly before?: string;
}

/** The machine that a scenario runs on. */
export function scenarioConfig(scenario: Scenario, images: ScenarioImages): MachineConfig {
  return {
    harts: scenario.harts,
    ramBytes: scenario.ramMiB * 1024 * 1024,
    quantum: { ...scenario.quantum, seed: BigInt(scenario.quantum.seed) },
    append: scenario.append,
    ...(scenario.devices?.length && { virtio: scenario.devices.map(virtioOf) }),
    ...(scenario.deviceSeed !== undefined && { seed: BigInt(scenario.deviceSeed) }),
    ...images,
  };
}

function virtioOf(device: ScenarioDevice): VirtioConfig {
  const { kind, slot } = device;
  if (device.kind === 'block') {
    const image = randomDisk(BigInt(device.seed), device.sectors * SECTOR_BYTES);
    return { kind: 'block', slot, image, readOnly: device.readOnly, serial: '' };
  }
  if (kind === 'net') return { kind, slot, mac: macOf(slot), cable: 'switch' };
  return kind === 'console' ? { kind, slot } : { kind: 'entropy', slot };
}

const macOf = (slot: number): string => `52:54:00:12:34:${(0x50 + slot).toString(16)}`;

/** What enters a scenario's run from outside, for `record`. @throws UserError when a fault's text is not a fault. */
export function scenarioInputs(scenario: Scenario): PlannedInput[] {
  const typed = scenario.typed.map(
    ({ moment, text }): PlannedInput => ({
      trigger: { kind: 'moment', moment },
      event: { kind: 'console', bytes: new TextEncoder().encode(text) },
    }),
  );
  const faults = scenario.faults.map(
    ({ trigger, fault }): PlannedInput => ({ trigger, event: { kind: 'fault', fault: parseFault(fault) } }),
  );
  return [...typed, ...faults];
}

/**
 * The line that records a scenario, on the embedded images unless said otherwise, and replays it: whatever became of
 * the guest, which `record` says by its exit code.
 */
export function scenarioCommand(scenario: Scenario, software?: ScenarioSoftware): string {
  const { quantum } = scenario;
  const words = ['-smp', `${scenario.harts}`, '-m', `${scenario.ramMiB}M`, '--quantum', `${quantum.ticks}`];
  if (quantum.policy === 'jittered') words.push('--jitter', `${quantum.seed}`);
  for (const device of scenario.devices ?? []) words.push(...deviceWords(device));
  if (scenario.deviceSeed !== undefined) words.push('--seed', `${scenario.deviceSeed}`);
  if (scenario.append) words.push('-append', scenario.append);
  for (const { moment, text } of scenario.typed) words.push('--input', `${moment}:${escapeBytes(text)}`);
  for (const { trigger, fault } of scenario.faults) words.push('--fault', `${fault}@${formatTrigger(trigger)}`);
  // A scenario's machine halts where software resets it.
  words.push('--no-reboot', '--max-moment', `${scenario.maxMoment}`, '-o', TRACE);
  const before = software?.before ? `${software.before} && ` : '';
  const images = software ? `${software.flags} ` : '';
  return `${before}npx dejavm record ${images}${shellLine(words)}; npx dejavm replay ${TRACE}`;
}

const TRACE = 'scenario.djvm';

function deviceWords(device: ScenarioDevice): string[] {
  const { kind, slot } = device;
  const plugged = (driver: string) => ['-device', `${driver},bus=virtio-mmio-bus.${slot}`];
  if (device.kind === 'block') {
    const size = device.sectors * SECTOR_BYTES;
    const readOnly = device.readOnly ? ',readonly=on' : '';
    const drive = `random=${device.seed},size=${size},if=none,id=d${slot}${readOnly}`;
    return ['-drive', drive, ...plugged(`virtio-blk-device,drive=d${slot}`)];
  }
  if (kind === 'net') {
    return ['-netdev', `builtin,id=n${slot}`, ...plugged(`virtio-net-device,netdev=n${slot},mac=${macOf(slot)}`)];
  }
  return plugged(kind === 'console' ? 'virtio-serial-device' : 'virtio-rng-device');
}

/** UTF-8 bytes, printable ASCII as it is and the rest as \xNN, as `--input` reads them. */
function escapeBytes(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) => {
      const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
      return plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
