/**
 * Where a value began that no instruction computed: inputs, faults, images, devices, resets. Looks at the inputs and
 * notes of the trace only to name what lies where the value came from.
 */
import { csrByNumber, isRam, loadedAt, type MachineEvent, RESET_NOTE } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import type { AccessHit } from '../watch/index.ts';
import { changeOf, inputsAt } from './change.ts';
import { carriedBy } from './dma.ts';
import { partOfHit, type Use } from './flow.ts';
import { locationText, placeOf } from './place.ts';
import type { Producer } from './producer.ts';
import type { RunSteps, Step } from './steps.ts';
import type { WhyOrigin } from './tree-types.ts';
import { typedByte } from './typed.ts';

/** What a CSR shows that is not kept in it. */
const SHOWN: Readonly<Record<string, 'time' | 'pending'>> = {
  cycle: 'time',
  time: 'time',
  instret: 'time',
  pending: 'pending',
};

export class Origins {
  private readonly run: RunSteps;
  private readonly timeline: TraceTimeline;
  private readonly images = new Map<number, string | undefined>();

  constructor(run: RunSteps, timeline: TraceTimeline) {
    [this.run, this.timeline] = [run, timeline];
  }

  /** Of CSRs whose value no instruction leaves; undefined: it is one that is kept, in part at least. */
  ofShown({ location, value }: Use): WhyOrigin | undefined {
    if (location.kind !== 'csr') return undefined;
    const kind = SHOWN[csrByNumber(location.number)?.implementation?.source ?? ''];
    return kind && { kind, value, what: locationText(location) };
  }

  /** Of what no instruction left there. `ticks`: when it was found. Moves the run. */
  of(producer: Exclude<Producer, { kind: 'step' }>, ticks: number): WhyOrigin {
    const { use } = producer;
    const { location, value } = use;
    switch (producer.kind) {
      case 'far':
        return { kind: 'far', value };
      case 'initial':
        return this.initial(use);
      case 'outside':
        return this.outside(producer.hit, use);
      case 'changed': {
        const { step, written } = producer;
        if (location.kind !== 'memory' && this.wasReset(step, ticks))
          return { kind: 'reset', value, what: locationText(location) };
        const position = changeOf(this.run, location, value, step, ticks);
        return {
          ...this.fault(use, position, written),
          ...(step !== undefined && { writtenBy: placeOf(this.run, this.timeline.symbols, step) }),
        };
      }
    }
  }

  /** Of what a step read from a device. Moves the run. */
  ofDevice(step: Step, value: bigint): WhyOrigin {
    const at = placeOf(this.run, this.timeline.symbols, step.number);
    const typed = typedByte(this.timeline, step.ticks, 0);
    const access = this.accessOf(step);
    const device = access?.device ?? 'device';
    if (typed && (value & 0xffn) === BigInt(this.typed(typed)))
      return this.input(typed.index, value, typed.byte, device);
    return { kind: 'device', value, device, offset: access?.offset ?? 0, at };
  }

  private typed({ index, byte }: { readonly index: number; readonly byte: number }): number {
    const { event } = this.timeline.player.inputs.at(index)!;
    return event.kind === 'console' ? event.bytes[byte]! : -1;
  }

  private accessOf(step: Step): Extract<MachineEvent, { kind: 'access' }> | undefined {
    const { machine } = this.timeline;
    this.timeline.toTicks(step.ticks, 'applied');
    const { onEvent, observed } = machine;
    let found: Extract<MachineEvent, { kind: 'access' }> | undefined;
    machine.observed = { transitions: 'none', accesses: true, csrWrites: false };
    machine.onEvent = (event) => {
      if (event.kind === 'access' && event.hart === step.hart) found ??= event;
    };
    try {
      this.timeline.forwardToTicks(step.ticks + 1, 'pending');
    } finally {
      machine.onEvent = onEvent;
      machine.observed = observed;
    }
    return found;
  }

  private initial({ location, value }: Use): WhyOrigin {
    const what = locationText(location);
    if (location.kind !== 'memory') return { kind: 'reset', value, what };
    const { paddr, bytes } = location;
    const { machine, symbols } = this.timeline;
    const image = isRam(machine, paddr, bytes) ? this.imageAt(paddr) : 'boot ROM';
    if (image === undefined) return { kind: 'reset', value, what };
    const symbol = symbols.describePhysical(paddr);
    return { kind: 'image', value, image, paddr, ...(symbol && { symbol }) };
  }

  private imageAt(paddr: number): string | undefined {
    if (!this.images.has(paddr)) this.images.set(paddr, loadedAt(this.timeline.machine.config, paddr));
    return this.images.get(paddr);
  }

  private outside(hit: Extract<Producer, { kind: 'outside' }>['hit'], use: Use): WhyOrigin {
    const { location, value } = use;
    const position = { moment: hit.moment, ticks: hit.ticks };
    if (hit.kind !== 'access' || location.kind !== 'memory') return { kind: 'far', value };
    const before = partOfHit(hit, location)?.before ?? 0n;
    if (hit.by === 'reset') return this.initial(use);
    if (hit.by === 'table-write') return { kind: 'walk', value, ...position, before };
    if (hit.by === 'input') {
      const index = this.pokeOf(hit, location.paddr);
      return index === undefined ? this.fault(use, position, before) : this.input(index, value);
    }
    const { device = 'device', request } = hit;
    const carried = carriedBy(this.timeline, hit, location.paddr);
    if (carried && carried.kind !== 'disk') return this.input(carried.index, value, carried.byte, device);
    return {
      kind: 'dma',
      value,
      ...position,
      device,
      ...request,
      ...(carried && { disk: { sector: carried.sector, offset: carried.offset } }),
    };
  }

  /** The last poke at a position that writes a byte of memory. */
  private pokeOf({ ticks }: AccessHit, paddr: number): number | undefined {
    const { player } = this.timeline;
    for (let n = player.inputsBefore(ticks + 1) - 1; n >= player.inputsBefore(ticks); n--) {
      const { event } = player.inputs.at(n)!;
      if (event.kind === 'poke' && paddr >= event.paddr && paddr < event.paddr + event.bytes.length) return n;
    }
    return undefined;
  }

  private input(index: number, value: bigint, byte?: number, device?: string): WhyOrigin {
    const { event, ticks } = this.timeline.player.inputs.at(index)!;
    this.timeline.toTicks(ticks, 'pending');
    const { moment } = this.timeline.machine;
    const from = { ...(byte !== undefined && { byte }), ...(device !== undefined && { device }) };
    const input = event.kind === 'fault' ? 'poke' : event.kind;
    return { kind: 'input', value, input, index, moment, ticks, ...from };
  }

  private fault({ location, value }: Use, position: Position, before: bigint): Extract<WhyOrigin, { kind: 'fault' }> {
    const inputs = inputsAt(this.timeline, position);
    return { kind: 'fault', value, what: locationText(location), ...position, before, inputs };
  }

  /** Whether the machine started over since a step. */
  private wasReset(step: number | undefined, ticks: number): boolean {
    const from = step === undefined ? 0 : this.run.get(step).ticks;
    const { notes } = this.timeline.trace;
    for (const note of notes) if (note.code === RESET_NOTE && note.ticks > from && note.ticks <= ticks) return true;
    return false;
  }
}
