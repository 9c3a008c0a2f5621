/**
 * `dejavm inject`: one fault into one set-up under one mechanism, and what became of it. Everything that decides is in
 * the flags, so the line that was typed is the line that runs it again. Relies on properties/injection.
 */
import { type Fault, parseFault, UserError } from '../../engine/index.ts';
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
  parseEnhance,
  parseRecovery,
  recordInjection,
  runInjection,
} from '../../properties/index.ts';
import { parseTrigger, setLatest } from '../../replay/index.ts';
import type { CommandContext } from '../command.ts';
import { UsageError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { FlagValues } from '../flags.ts';
import { byteSize, shellLine, toJson, virtualTime } from '../format.ts';
import { type Io, progressLine } from '../io.ts';

type InjectFlag = 'setup' | 'recovery' | 'enhance' | 'model' | 'at' | 'seed' | 'recordTo' | 'json';

export async function injectCommand({ flags, io, argv }: CommandContext<InjectFlag>): Promise<ExitCode> {
  const setup = findSetup(flags.setup);
  const mechanism = { recovery: parseRecovery(flags.recovery), enhance: parseEnhance(flags.enhance) };
  const injection: Injection = { fault: faultOf(flags), trigger: triggerOf(flags) };
  const progress = progressLine(io);
  try {
    progress.show(() => `booting ${setup.name}`);
    const golden = goldenRun(bootSetup(setup, seedOf(flags)), mechanism, {
      onProgress: (ticks) => progress.show(() => `run without a fault: ${virtualTime(ticks)}`),
    });
    progress.show(() => 'run with the fault');
    const result = runInjection(golden, injection);
    progress.clear();
    report(golden, injection, result, flags.json, io);
    if (flags.recordTo !== undefined) await keep(golden, injection, result, flags.recordTo, argv, io);
    return isGood(result) ? EXIT.ok : EXIT.difference;
  } finally {
    progress.clear();
  }
}

function faultOf({ model }: FlagValues<'model'>): Fault {
  if (model === undefined) throw new UsageError('which fault? give one, such as --fault failstop');
  return parseFault(model);
}

function triggerOf({ at }: FlagValues<'at'>): InjectionTrigger {
  if (at === undefined) throw new UsageError('when? give a trigger, such as --at 5ms+120 or --at frame_alloc+0x10');
  const trigger = parseTrigger(at);
  if (trigger.kind === 'moment' || trigger.kind === 'two-level') return trigger;
  // The next hypervisor instruction from there on.
  if (trigger.kind === 'ticks') return { kind: 'two-level', ticks: trigger.ticks, k: 1 };
  if (trigger.kind === 'symbol' && trigger.ticks === 0) return trigger;
  throw new UserError(
    `--at ${at}: expected virtual time and hypervisor instruction (5ms+120), a moment (8M), or a place (frame_alloc+0x10#3)`,
  );
}

function seedOf({ seed = 0n }: FlagValues<'seed'>): number {
  if (seed > BigInt(Number.MAX_SAFE_INTEGER)) throw new UsageError(`--seed ${seed}: expected at most 2^53 - 1`);
  return Number(seed);
}

function report(golden: GoldenRun, injection: Injection, result: InjectionResult, json: boolean, io: Io): void {
  const { setup, mechanism, seed } = golden;
  const command = injectionCommand(setup, mechanism, seed, injection);
  if (json) io.out(toJson({ setup: setup.name, seed, mechanism, injection, command, result }));
  else
    io.out(`${explain(result, { setup, mechanism, injection }).join('\n')}\n  again         ${shellLine(command)}\n`);
}

async function keep(
  golden: GoldenRun,
  injection: Injection,
  result: InjectionResult,
  path: string,
  argv: readonly string[],
  io: Io,
): Promise<void> {
  if (result.effect === 'not-reached')
    throw new UserError(`nothing to record in ${path}: the trigger is never reached`);
  const recorded = await recordInjection(golden, injection, result, { path, commandLine: ['dejavm', ...argv] });
  setLatest(recorded.path);
  io.err(
    `dejavm: recorded in ${recorded.path} (${byteSize(recorded.bytes)}); it ends with the same digest\n` +
      `  replay it with: ${shellLine(['dejavm', 'replay', recorded.path])}\n`,
  );
}

/** Nothing was lost: not manifested, latent, or recovered. */
const isGood = ({ effect, success }: InjectionResult): boolean =>
  effect === 'non-manifested' || effect === 'latent' || (effect === 'detected' && success);
