/**
 * `dejavm inject`: one fault into one set-up under one mechanism, and what became of it. Everything that decides is in
 * the flags, or in the row of a campaign that is named, so the line that was typed is the line that runs it again.
 * Relies on properties/campaigns/injection.
 */

import { resolve } from 'node:path';
import { parseFault, shellLine, UserError } from '../../../engine/index.ts';
import {
  bootSetup,
  explain,
  findSetup,
  type GoldenRun,
  goldenRun,
  type Injection,
  type InjectionResult,
  type InjectionTrigger,
  injectionCommand,
  type Mechanism,
  parseChecks,
  parseEnhance,
  parseRecovery,
  parseRowReference,
  parseSecondTrigger,
  planOfRow,
  recordGolden,
  recordInjection,
  runInjection,
  type Setup,
} from '../../../properties/index.ts';
import { parseTrigger } from '../../../replay/index.ts';
import { byteSize, EXIT, type ExitCode, type Io, progressLine, UsageError, virtualTime } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import type { FlagValues } from '../flags.ts';
import { toJson } from '../json/index.ts';
import { becomesLatest } from './latest.ts';

/** What is injected, and when it comes from a campaign: what became of it there. */
interface Plan {
  readonly setup: Setup;
  readonly mechanism: Mechanism;
  readonly seed: number;
  readonly injection: Injection;
  readonly stored?: { readonly name: string; readonly result: InjectionResult | undefined };
}

type InjectFlag =
  | 'setup'
  | 'recovery'
  | 'enhance'
  | 'checks'
  | 'model'
  | 'at'
  | 'seed'
  | 'recordTo'
  | 'goldenTo'
  | 'json';

export async function injectCommand({ args, flags, io, argv }: CommandContext<InjectFlag>): Promise<ExitCode> {
  const plan = args[0] === undefined ? planFromFlags(flags) : planFromRow(args[0], flags);
  const { setup, mechanism, seed, injection, stored } = plan;
  refuseOneName(flags);
  const progress = progressLine(io);
  try {
    progress.show(() => `booting ${setup.name}`);
    const golden = goldenRun(bootSetup(setup, seed), mechanism, {
      onProgress: (ticks) => progress.show(() => `run without a fault: ${virtualTime(ticks)}`),
    });
    progress.show(() => 'run with the fault');
    const result = runInjection(golden, injection);
    progress.clear();
    const difference = stored?.result && differenceOf(stored.result, result);
    report(golden, plan, result, difference, flags.json, io);
    const commandLine = ['dejavm', ...argv];
    if (flags.goldenTo !== undefined) await keepGolden(golden, { path: flags.goldenTo, commandLine }, io);
    if (flags.recordTo !== undefined) {
      await keep(golden, injection, result, { path: flags.recordTo, commandLine }, io);
      if (flags.goldenTo !== undefined) io.err(compareHint(flags.goldenTo, flags.recordTo));
    }
    if (stored?.result) return difference === undefined ? EXIT.ok : EXIT.difference;
    return isGood(result) ? EXIT.ok : EXIT.difference;
  } finally {
    progress.clear();
  }
}

function planFromFlags(flags: FlagValues<InjectFlag>): Plan {
  return {
    setup: findSetup(flags.setup),
    mechanism: {
      recovery: parseRecovery(flags.recovery),
      enhance: parseEnhance(flags.enhance),
      checks: parseChecks(flags.checks),
    },
    seed: seedOf(flags),
    injection: injectionOf(flags),
  };
}

/** A row of a campaign's database. @throws UserError when it could not end as it did there */
function planFromRow(name: string, flags: FlagValues<InjectFlag>): Plan {
  const reference = parseRowReference(name);
  if (!reference)
    throw new UsageError(`'${name}' names no row: expected a campaign's database and a row, results.sqlite#17`);
  if (flags.model.length + flags.at.length > 0 || flags.seed !== undefined) {
    throw new UsageError(`${name} says what is injected and when: leave out --fault, --at and --seed`);
  }
  const { stored: result, ...plan } = planOfRow(reference.path, reference.id);
  return { ...plan, stored: { name, result } };
}

/** In what a row ended otherwise than it did; undefined when in nothing. */
function differenceOf(stored: InjectionResult, now: InjectionResult): string | undefined {
  const fields = [...new Set([...Object.keys(stored), ...Object.keys(now)])] as (keyof InjectionResult)[];
  const text = (value: unknown) => JSON.stringify(value) ?? 'nothing';
  // The digest first: it covers the whole machine.
  const differing = fields.filter((name) => text(stored[name]) !== text(now[name]));
  const field = differing.find((name) => name === 'endDigest') ?? differing[0];
  return field && `${field} was ${text(stored[field])}, is ${text(now[field])}`;
}

function injectionOf({ model, at }: FlagValues<'model' | 'at'>): Injection {
  const [fault, then] = model;
  const [when, whenThen] = at;
  if (fault === undefined) throw new UsageError('which fault? give one, such as --fault failstop');
  if (when === undefined) {
    throw new UsageError('when? give a trigger, such as --at 5ms+120 or --at frame_alloc+0x10');
  }
  if (model.length > 2 || model.length !== at.length) {
    const given = `got ${model.length} --fault and ${at.length} --at`;
    throw new UsageError(`expected one --fault and one --at, or two of each for two faults in one run; ${given}`);
  }
  const first = { fault: parseFault(fault), trigger: triggerOf(when) };
  if (then === undefined || whenThen === undefined) return first;
  return { ...first, second: { fault: parseFault(then), trigger: parseSecondTrigger(whenThen) } };
}

function triggerOf(at: string): InjectionTrigger {
  const trigger = parseTrigger(at);
  if (trigger.kind === 'moment' || trigger.kind === 'two-level') return trigger;
  // The next hypervisor instruction from there on.
  if (trigger.kind === 'ticks') return { kind: 'two-level', ticks: trigger.ticks, k: 1 };
  if (trigger.kind === 'symbol' && trigger.ticks === 0) {
    const { kind, symbol, offset, n } = trigger;
    return { kind, symbol, offset, n };
  }
  throw new UserError(
    `--at ${at}: expected virtual time and hypervisor instruction (5ms+120), a moment (8M), or a place (frame_alloc+0x10#3)`,
  );
}

function seedOf({ seed = 0n }: FlagValues<'seed'>): number {
  if (seed > BigInt(Number.MAX_SAFE_INTEGER)) throw new UsageError(`--seed ${seed}: expected at most 2^53 - 1`);
  return Number(seed);
}

function report(
  golden: GoldenRun,
  { injection, stored }: Plan,
  result: InjectionResult,
  difference: string | undefined,
  json: boolean,
  io: Io,
): void {
  const { setup, mechanism, seed } = golden;
  const command = injectionCommand(setup, mechanism, seed, injection, result);
  if (json) {
    const again = stored && { row: stored.name, asStored: stored.result ? difference === undefined : null };
    io.out(toJson('inject', { setup: setup.name, seed, mechanism, injection, command, result, ...again }));
    return;
  }
  io.out(`${explain(result, { setup, mechanism, injection }).join('\n')}\n  again         ${shellLine(command)}\n`);
  if (!stored) return;
  const { name } = stored;
  const verdict =
    difference === undefined ? `ends as in ${name}, digest ${result.endDigest}` : `DIFFERS: ${difference}`;
  io.out(`  row           ${stored.result ? verdict : `${name} has no result to compare with yet`}\n`);
}

/** The second recording would take the place of the first. @throws UsageError */
function refuseOneName({ recordTo, goldenTo }: FlagValues<'recordTo' | 'goldenTo'>): void {
  if (recordTo === undefined || goldenTo === undefined || resolve(recordTo) !== resolve(goldenTo)) return;
  throw new UsageError(
    `--record and --golden name the same file, ${recordTo}: the run with the fault and the one without need a file each`,
  );
}

interface Keeping {
  readonly path: string;
  readonly commandLine: readonly string[];
}

async function keep(
  golden: GoldenRun,
  injection: Injection,
  result: InjectionResult,
  keeping: Keeping,
  io: Io,
): Promise<void> {
  if (result.effect === 'not-reached')
    throw new UserError(`nothing to record in ${keeping.path}: the trigger is never reached`);
  const recorded = await recordInjection(golden, injection, result, keeping);
  becomesLatest(recorded.path, io);
  io.err(
    `dejavm: recorded in ${recorded.path} (${byteSize(recorded.bytes)}); it ends with the same digest\n` +
      `  replay it with: ${shellLine(['dejavm', 'replay', recorded.path])}\n`,
  );
}

/** The latest trace stays what it was: the one to look at is that of the fault. */
async function keepGolden(golden: GoldenRun, keeping: Keeping, io: Io): Promise<void> {
  const { path, bytes } = await recordGolden(golden, keeping);
  io.err(`dejavm: the run without the fault is in ${path} (${byteSize(bytes)})\n`);
}

const compareHint = (golden: string, faulted: string): string =>
  `  compare the two with: ${shellLine(['dejavm', 'bisect', golden, faulted])}\n`;

/** Nothing was lost: not manifested, latent, or recovered. */
const isGood = ({ effect, success }: InjectionResult): boolean =>
  effect === 'non-manifested' || effect === 'latent' || (effect === 'detected' && success);
