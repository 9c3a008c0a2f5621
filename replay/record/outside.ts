/**
 * Everything that enters a machine from the world outside while it is recorded: what is typed at its console, live or
 * as planned, and frames from live cables. Holds back what the machine has no room for, in the order in which it came,
 * so that a sender may be as fast as it likes and nothing is lost. Relies on the recorder for applying what is handed
 * over, and for asking again as the machine makes room.
 */
import { setImmediate } from 'node:timers/promises';
import type { InputEvent, Machine } from '../../engine/index.ts';
import type { PlannedInput, RecordOptions } from '../base/index.ts';

/** An input that the machine has room for now. */
export interface HandedOver {
  readonly event: InputEvent;
  /** It came from a person or a wire: running again would not bring it again. */
  readonly live: boolean;
  /** The planned input that is complete with this one. */
  readonly planned?: PlannedInput;
}

/** Bytes for the console that nobody has taken yet. */
interface Held {
  bytes: Uint8Array;
  readonly planned?: PlannedInput;
}

type Senders = Pick<RecordOptions, 'pollConsole' | 'network' | 'stopRequested'>;

export class Outside {
  /** Whether anybody is to be asked at all: a live console, a live network, or somebody who may stop the recording. */
  readonly isAsked: boolean;
  private readonly machine: Machine;
  private readonly senders: Senders;
  private readonly held: Held[] = [];
  private isConsoleOpen: boolean;

  constructor(machine: Machine, senders: Senders) {
    this.machine = machine;
    this.senders = senders;
    this.isConsoleOpen = senders.pollConsole !== undefined;
    this.isAsked = [senders.pollConsole, senders.network, senders.stopRequested].some((sender) => sender !== undefined);
  }

  /** Whether more may come while the machine does nothing: what is typed queues up behind what is held. */
  get isOpen(): boolean {
    return (this.isConsoleOpen && !this.isHolding) || this.senders.network !== undefined;
  }

  /** Whether something may enter that no plan tells the time of: its sender, or the machine, is waited for. */
  get isAwaited(): boolean {
    return this.isOpen || this.isHolding;
  }

  /** Bytes for the console that are held back. */
  get heldBytes(): number {
    return this.held.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  get isHolding(): boolean {
    return this.held.length > 0;
  }

  /** A planned console input whose time has come; it queues up behind what is held. */
  type(planned: PlannedInput, bytes: Uint8Array): void {
    this.held.push({ bytes, planned });
  }

  /** Lets the event loop bring what has come, and asks everybody. `stop`: the recording is to end. */
  async ask(): Promise<'stop' | 'go on'> {
    await setImmediate();
    if (this.senders.stopRequested?.()) return 'stop';
    // While something is held, more stays where it is: with the pipe, the terminal, or whoever gives it.
    if (this.isConsoleOpen && !this.isHolding) {
      const bytes = this.senders.pollConsole?.();
      if (bytes === 'closed') this.isConsoleOpen = false;
      else if (bytes && bytes.length > 0) this.held.push({ bytes });
    }
    return 'go on';
  }

  /** The next frame from a live cable whose device has room for it. */
  nextFrame(): HandedOver | undefined {
    const frame = this.senders.network?.next((slot, bytes) => this.machine.takesFrame(slot, bytes));
    return frame && { event: { kind: 'net', slot: frame.slot, bytes: frame.bytes }, live: true };
  }

  /** The next bytes for the console, as many as its line has room for. */
  nextTyped(): HandedOver | undefined {
    const first = this.held[0];
    if (!first) return undefined;
    const room = this.machine.consoleRoom;
    if (room === 0 && first.bytes.length > 0) return undefined;
    const { planned } = first;
    const event = { kind: 'console', bytes: first.bytes.slice(0, room) } as const;
    first.bytes = first.bytes.subarray(room);
    if (first.bytes.length > 0) return { event, live: !planned };
    this.held.shift();
    return { event, live: !planned, ...(planned && { planned }) };
  }
}
