/**
 * Compares two traces as they were recorded: machine, images, inputs, digests, console, end. Nothing is executed.
 * Relies on the traces' own words; bisect is what finds the exact place of a difference.
 */
import { DEFAULT_WALL_CLOCK, type InputEvent } from '../../engine/index.ts';
import type { Trace, TraceHeader } from '../../traces/index.ts';
import { endText, isCutShort, type Position, sharedMarks, sharedStart } from '../base/index.ts';
import { inputsFromTrace } from '../container/index.ts';
import { type ConsoleLine, linesOf, outputBetween } from '../timeline/index.ts';
import { describeEvent, differingInputs, type InputDifference } from './diff-inputs.ts';
import { compareVms, type VmComparison, vmLines } from './diff-vms.ts';

/** A setting of the two runs. */
export interface SettingDifference {
  /** As people set it: `harts`, `RAM`, `quantum`, `append`, … */
  readonly name: string;
  readonly a: string;
  readonly b: string;
}

export interface DigestComparison {
  /** Positions at which both runs have a digest. */
  readonly compared: number;
  readonly lastEqual?: Position;
  readonly firstDifferent?: Position & { readonly ticksOfB: number; readonly a: bigint; readonly b: bigint };
}

/** A part of a run: output comes behind its beginning. */
interface Part {
  readonly from: Position;
  readonly to: Position;
}

export interface TraceDiff {
  readonly equal: boolean;
  /** Only this part of the runs was compared: one trace is a cut and has no more. */
  readonly part?: Part;
  readonly machine: readonly SettingDifference[];
  readonly images: readonly SettingDifference[];
  /** The first positions at which they differ; `moreInputs` further ones are not listed. */
  readonly inputs: readonly InputDifference[];
  readonly moreInputs: number;
  readonly digests: DigestComparison;
  /** Each VM's memory. */
  readonly vms: readonly VmComparison[];
  /** First console line that differs; undefined when all output is equal. */
  readonly console?: { readonly line: number; readonly a?: ConsoleLine; readonly b?: ConsoleLine };
  readonly end?: { readonly a: string; readonly b: string };
  /** The same for people. */
  readonly lines: readonly string[];
}

/** What differs between two recordings. */
export function diffTraces(a: Trace, b: Trace): TraceDiff {
  const machine = machineDifferences(a.header, b.header);
  const images = imageDifferences(a.header, b.header);
  const part = comparedPart(a, b);
  const { found: inputs, more: moreInputs } = inputDifferences(a, b, part);
  const digests = compareDigests(a, b);
  const console = consoleDifference(outputIn(a, part), outputIn(b, part));
  const ends = { a: endOf(a), b: endOf(b) };
  // Where a cut ends, the run went on.
  const endsDiffer = ends.a !== ends.b && !isCutShort(a) && !isCutShort(b);
  const parts = {
    ...(part && { part }),
    machine,
    images,
    inputs,
    moreInputs,
    digests,
    vms: compareVms(a, b),
    ...(console && { console }),
    ...(endsDiffer && { end: ends }),
  };
  const equal =
    machine.length + images.length + inputs.length === 0 && !digests.firstDifferent && !console && !('end' in parts);
  return { equal, ...parts, lines: equal ? [...partLine(part), equalLine(a, digests, part)] : describe(parts) };
}

/** Settings that make two machines different ones. */
export function machineDifferences(a: TraceHeader, b: TraceHeader): SettingDifference[] {
  const found: SettingDifference[] = [];
  const compare = (name: string, valueA: string | number, valueB: string | number) => {
    if (valueA !== valueB) found.push({ name, a: String(valueA), b: String(valueB) });
  };
  compare('engine behaviour', a.engineBehaviour, b.engineBehaviour);
  compare('harts', a.machine.harts, b.machine.harts);
  compare('RAM', `${a.machine.ramBytes / 2 ** 20} MiB`, `${b.machine.ramBytes / 2 ** 20} MiB`);
  compare('quantum', quantumText(a), quantumText(b));
  compare('device seed', a.machine.seed ?? '0', b.machine.seed ?? '0');
  compare('wall clock', wallClockText(a), wallClockText(b));
  compare('reset', resetText(a), resetText(b));
  compare('devices', devicesText(a), devicesText(b));
  return found;
}

const wallClockText = ({ machine }: TraceHeader): string =>
  new Date(1000 * (machine.wallClock ?? DEFAULT_WALL_CLOCK)).toISOString();

const resetText = ({ machine }: TraceHeader): string =>
  machine.reboots === true ? 'starts the machine over' : 'ends the run';

/** Content of disks is compared with the other images. */
const devicesText = ({ machine }: TraceHeader): string =>
  (machine.devices ?? [])
    .map(({ kind, slot, settings }) => [`${slot}: ${kind}`, ...Object.values(settings)].join(' '))
    .join(', ') || 'none';

/** What is loaded into the machine at the start: images by content, and the command line. */
export function imageDifferences(a: TraceHeader, b: TraceHeader): SettingDifference[] {
  const roles = [...new Set([...a.images, ...b.images].map(({ role }) => role))];
  const found: SettingDifference[] = roles.flatMap((name) => {
    const of = (header: TraceHeader) => header.images.find(({ role }) => role === name);
    const text = (header: TraceHeader) => {
      const image = of(header);
      return image ? `${image.name} (sha256 ${image.sha256.slice(0, 12)})` : 'none';
    };
    return of(a)?.sha256 === of(b)?.sha256 ? [] : [{ name: `image ${name}`, a: text(a), b: text(b) }];
  });
  if (a.machine.append !== b.machine.append) {
    found.push({ name: 'append', a: JSON.stringify(a.machine.append), b: JSON.stringify(b.machine.append) });
  }
  return found;
}

/** Compares the digests that both recordings have: no execution needed to know roughly where two runs part. */
export function compareDigests(a: Trace, b: Trace): DigestComparison {
  let compared = 0;
  let lastEqual: Position | undefined;
  for (const [{ moment, ticks, digest }, ofB] of sharedMarks(a, b)) {
    // A position may have several: a checkpoint's, a digest, and one behind its inputs that ends the recording.
    if (ticks !== lastEqual?.ticks) compared++;
    if (digest !== ofB.digest) {
      const firstDifferent = { moment, ticks, ticksOfB: ofB.ticks, a: digest, b: ofB.digest };
      return { compared, ...(lastEqual && { lastEqual }), firstDifferent };
    }
    lastEqual = { moment, ticks };
  }
  return { compared, ...(lastEqual && { lastEqual }) };
}

/** Differences listed at most; people look at the first ones. */
const MAX_INPUTS = 1000;

/** undefined: all of both. */
function comparedPart(a: Trace, b: Trace): Part | undefined {
  if (!a.header.cut && !b.header.cut) return undefined;
  const ends = [a, b].filter(isCutShort).map(({ last }) => last);
  const last = a.last.ticks >= b.last.ticks ? a.last : b.last;
  return { from: sharedStart(a, b), to: ends.sort((x, y) => x.ticks - y.ticks)[0] ?? last };
}

const outputIn = ({ console }: Trace, part: Part | undefined) =>
  linesOf(outputBetween(console, part?.from.ticks ?? 0, part?.to.ticks));

const partLine = (part: Part | undefined): string[] =>
  part ? [`compared from moment ${part.from.moment} to ${part.to.moment} only: a cut has no more`] : [];

function inputDifferences(a: Trace, b: Trace, part: Part | undefined): { found: InputDifference[]; more: number } {
  const found: InputDifference[] = [];
  let more = 0;
  for (const difference of differingInputs(inputsFromTrace(a), inputsFromTrace(b), part?.from.ticks)) {
    if (part && difference.ticks > part.to.ticks) break;
    if (found.length < MAX_INPUTS) found.push(difference);
    else more++;
  }
  return { found, more };
}

/** The seed counts for fixed turns too: it is part of the state, although nothing is drawn from it. */
const quantumText = ({ machine: { quantum } }: TraceHeader) =>
  `${quantum.policy} ${quantum.ticks}, seed ${quantum.seed}`;

const endOf = (trace: Trace) =>
  trace.end ? `${endText(trace.end)} at moment ${trace.end.moment}` : `cut off after moment ${trace.last.moment}`;

function consoleDifference(a: Generator<ConsoleLine>, b: Generator<ConsoleLine>): TraceDiff['console'] {
  for (let line = 1; ; line++) {
    const [ofA, ofB] = [a.next().value as ConsoleLine | undefined, b.next().value as ConsoleLine | undefined];
    if (!ofA && !ofB) return undefined;
    if (ofA?.text !== ofB?.text) return { line, ...(ofA && { a: ofA }), ...(ofB && { b: ofB }) };
  }
}

const equalLine = (a: Trace, { compared }: DigestComparison, part: Part | undefined) =>
  part
    ? `the runs are equal there: ${compared} digests`
    : `the runs are equal: ${compared} digests, ${a.console.length} console bytes, ${endOf(a)}`;

const MAX_INPUT_LINES = 10;

function describe(diff: Omit<TraceDiff, 'equal' | 'lines'>): string[] {
  const setting = (found: SettingDifference) => `${found.name}: A ${found.a}, B ${found.b}`;
  const lines = [...partLine(diff.part), ...[...diff.machine, ...diff.images].map(setting)];
  for (const input of diff.inputs.slice(0, MAX_INPUT_LINES)) {
    const say = (who: string, events: readonly InputEvent[]) => {
      for (const event of events)
        lines.push(`input at moment ${input.moment}: only ${who} has ${describeEvent(event)}`);
    };
    say('A', input.onlyA);
    say('B', input.onlyB);
    if (input.onlyA.length + input.onlyB.length === 0) lines.push(`inputs at moment ${input.moment}: in another order`);
  }
  const more = diff.inputs.length + diff.moreInputs - MAX_INPUT_LINES;
  if (more > 0) lines.push(`inputs differ at ${more} more moments`);
  const { compared, firstDifferent, lastEqual } = diff.digests;
  if (compared === 0) lines.push('digests: none at a common position');
  else if (!firstDifferent) lines.push(`digests: all ${compared} at common positions are equal`);
  else {
    const since = lastEqual ? `equal up to moment ${lastEqual.moment}` : 'never equal';
    lines.push(`digests: ${since}, different at moment ${firstDifferent.moment}`);
  }
  lines.push(...vmLines(diff.vms));
  if (diff.console) {
    const said = (line: ConsoleLine | undefined) =>
      line ? `${JSON.stringify(line.text)} at moment ${line.moment}` : 'nothing';
    lines.push(`console line ${diff.console.line}: A ${said(diff.console.a)}, B ${said(diff.console.b)}`);
  }
  if (diff.end) lines.push(`end: A ${diff.end.a}, B ${diff.end.b}`);
  return lines;
}
