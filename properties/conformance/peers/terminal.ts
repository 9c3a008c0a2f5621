/**
 * A scripted person at the machine's console: waits for text, types, waits for more. It looks at nothing but the
 * console output, so a recording made with it is as live as one made by hand, and it needs no clock: how long to wait
 * is counted in moments by the recorder.
 */
import { type MachineConfig, UserError } from '../../../engine/index.ts';
import { type PlannedInput, type RecordResult, type ReplayResult, record, replayTrace } from '../../../replay/index.ts';
import { openTrace } from '../../../traces/index.ts';

/** Wait until the console shows `waitFor` after what earlier steps have waited for, then type `type`. */
export interface Step {
  readonly waitFor: string | RegExp;
  readonly type?: string;
}

export interface Session {
  readonly path: string;
  readonly config: MachineConfig;
  readonly steps: readonly Step[];
  /** What comes from outside besides typing. */
  readonly planned?: readonly PlannedInput[];
  /** 'halted': go on after the last step until the machine halts by itself. */
  readonly until: 'last step' | 'halted';
  /** The recording ends here even if steps are left. */
  readonly maxMoment: number;
  readonly digestEvery: number;
  readonly checkpointEvery: number;
  /** Told each byte that the console shows. */
  readonly onOutput?: (byte: number) => void;
}

export interface SessionResult {
  readonly recorded: RecordResult;
  /** What the console showed for each step that was reached: from the end of the step before to what it waited for. */
  readonly shown: readonly string[];
}

/**
 * Records a session. @throws UserError naming the step that was
 * not reached, with the end of what the console showed
 */
export async function recordSession(session: Session): Promise<SessionResult> {
  const terminal = new Terminal(session.steps);
  const { path, config, maxMoment, digestEvery, checkpointEvery } = session;
  const recorded = await record({
    path,
    config,
    planned: session.planned ?? [],
    maxMoment,
    digestEvery,
    checkpointEvery,
    commandLine: [],
    pollConsole: () => terminal.poll(),
    stopRequested: () => session.until === 'last step' && terminal.finished,
    onEvent: (event) => {
      if (event.kind !== 'console') return;
      terminal.observe(event.byte);
      session.onOutput?.(event.byte);
    },
  });
  terminal.look();
  if (terminal.waitingFor !== undefined) {
    const end = JSON.stringify(terminal.unread.slice(-800));
    throw new UserError(`the console never showed ${terminal.waitingFor} by moment ${recorded.end.moment}: ${end}`);
  }
  return { recorded, shown: terminal.shown };
}

/** Replays a recorded session from its beginning, comparing everything. */
export const replaySession = (path: string): ReplayResult => replayTrace(openTrace(path));

class Terminal {
  readonly shown: string[] = [];
  /** Shown, and not yet matched by a step. */
  unread = '';
  readonly #steps: readonly Step[];
  #typed: number[] = [];

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
  }

  /** All steps are done and all is typed. */
  get finished(): boolean {
    return this.shown.length === this.#steps.length && this.#typed.length === 0;
  }

  /** What the present step waits for; undefined after the last. */
  get waitingFor(): string | undefined {
    return this.#steps[this.shown.length]?.waitFor.toString();
  }

  observe(byte: number): void {
    this.unread += String.fromCharCode(byte);
  }

  poll(): Uint8Array | undefined {
    this.look();
    const typed = Uint8Array.from(this.#typed);
    this.#typed = [];
    return typed.length === 0 ? undefined : typed;
  }

  /** Takes the next step if the console shows what it waits for. */
  look(): void {
    const step = this.#steps[this.shown.length];
    if (!step) return;
    const end = endOfMatch(this.unread, step.waitFor);
    if (end === undefined) return;
    this.shown.push(this.unread.slice(0, end));
    this.unread = this.unread.slice(end);
    this.#typed.push(...Buffer.from(step.type ?? ''));
  }
}

function endOfMatch(text: string, waitFor: string | RegExp): number | undefined {
  if (typeof waitFor === 'string') {
    const at = text.indexOf(waitFor);
    return at < 0 ? undefined : at + waitFor.length;
  }
  const match = waitFor.exec(text);
  return match ? match.index + match[0].length : undefined;
}

/** All that a recorded session printed. */
export function printedIn(path: string): string {
  return new TextDecoder().decode(Uint8Array.from(openTrace(path).console, ({ byte }) => byte));
}
