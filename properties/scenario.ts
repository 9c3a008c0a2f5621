/**
 * A scenario is everything that decides a run, as plain JSON: it is what properties draw, what shrinks, and what a
 * failure prints. Relies on the images being given; does not check that they are the ones the scenario was made for.
 */
import type { Image, MachineConfig } from '../engine/index.ts';
import { parseFault } from '../engine/index.ts';
import { formatTrigger, type PlannedInput, type Trigger } from '../replay/index.ts';

export interface Scenario {
  readonly harts: number;
  readonly ramMiB: number;
  readonly quantum: { readonly policy: 'fixed' | 'jittered'; readonly ticks: number; readonly seed: number };
  /** Kernel command line. */
  readonly append: string;
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

/** The machine that a scenario runs on. */
export function scenarioConfig(scenario: Scenario, images: ScenarioImages): MachineConfig {
  return {
    harts: scenario.harts,
    ramBytes: scenario.ramMiB * 1024 * 1024,
    quantum: { ...scenario.quantum, seed: BigInt(scenario.quantum.seed) },
    append: scenario.append,
    ...images,
  };
}

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

/** The one command that records a scenario on the embedded images and replays it. */
export function scenarioCommand(scenario: Scenario): string {
  const { quantum } = scenario;
  const words = ['npx dejavm record', `-smp ${scenario.harts}`, `-m ${scenario.ramMiB}M`, `--quantum ${quantum.ticks}`];
  if (quantum.policy === 'jittered') words.push(`--jitter ${quantum.seed}`);
  if (scenario.append) words.push(`-append ${quote(scenario.append)}`);
  for (const { moment, text } of scenario.typed) words.push(`--input ${quote(`${moment}:${escapeBytes(text)}`)}`);
  for (const { trigger, fault } of scenario.faults)
    words.push(`--fault ${quote(`${fault}@${formatTrigger(trigger)}`)}`);
  words.push(`--max-moment ${scenario.maxMoment}`, '-o scenario.djvm');
  return `${words.join(' ')} && npx dejavm replay scenario.djvm`;
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

/** A word of a shell command. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
