/**
 * The command line: argv in, exit code out. Builds commander's parser from the verb and flag tables, runs the verb,
 * and turns whatever went wrong into one line. Relies on the tables; never ends the process itself.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { EXIT, type ExitCode, exitCodeHelp, explainError, type Io, packageVersion } from '../base/index.ts';
import type { CommandFunction, Verb } from './command.ts';
import { type FlagName, type FlagValues, flagHelp, flagSpec } from './flags.ts';
import { HELP_FLAG, HELP_VERB, SUMMARY, VERSION_FLAG } from './help.ts';
import { normaliseArgv } from './qemu/index.ts';
import { VERBS } from './verbs.ts';

const loadCommand = (verb: Verb): Promise<CommandFunction<FlagName>> => verb.load();

/**
 * Runs one command line.
 * @param argv arguments after the program's name
 * @param load what does a verb's work; tests that only read command lines give their own
 * @returns the exit code; never rejects
 */
export async function runCli(argv: readonly string[], io: Io, load = loadCommand): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = buildProgram(io, async (verb, args, flags) => {
    const command = await load(verb);
    exitCode = await command({ args, flags, io, argv, verbs: VERBS });
  });
  try {
    await program.parseAsync(normaliseArgv(argv), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return explainUsage(error, argv, io);
    const failure = await explainError(error, argv, Boolean(io.env.DEJAVM_DEBUG));
    io.err(`${failure.message}\n`);
    return failure.exitCode;
  }
}

type RunVerb = (verb: Verb, args: readonly string[], flags: FlagValues<FlagName>) => Promise<void>;

function buildProgram(io: Io, run: RunVerb): Command {
  const program = new Command('dejavm')
    .description(`${SUMMARY}.`)
    .version(packageVersion(), VERSION_FLAG.syntax, VERSION_FLAG.help)
    .usage('<verb> [options]')
    .helpCommand(`${HELP_VERB.name} [${HELP_VERB.argument.name}]`, HELP_VERB.summary)
    .helpOption(HELP_FLAG.syntax, HELP_FLAG.help)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      // Help that answers a bare `dejavm`; errors are printed by explainUsage, in one line.
      writeErr: (text) => io.err(text),
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 80,
    })
    .addHelpText('after', `\n${exitCodeHelp()}\n\nFirst steps:\n  dejavm demo\n  dejavm tui latest`);
  for (const verb of VERBS) addVerb(program as Command, verb, run);
  return program as Command;
}

function addVerb(program: Command, verb: Verb, run: RunVerb): void {
  const command = program.command(verb.name).description(verb.summary).allowExcessArguments(false);
  command.helpOption(HELP_FLAG.syntax, HELP_FLAG.help);
  for (const { name, help, optional, many } of verb.arguments) {
    const typed = many ? `${name}...` : name;
    command.argument(optional ? `[${typed}]` : `<${typed}>`, help);
  }
  for (const name of verb.flags) command.addOption(optionOf(name));
  command.addHelpText(
    'after',
    `\nExamples:\n${verb.examples.map((line) => `  ${line}`).join('\n')}\n\n${exitCodeHelp()}`,
  );
  command.action(async () => {
    await run(verb, command.args, valuesOf(verb.flags, command.opts()));
  });
}

function optionOf(name: FlagName): Option {
  const spec = flagSpec(name);
  const option = new Option(spec.syntax, flagHelp(name));
  const { parse } = spec;
  if (parse) {
    option.argParser((text: string, previous: unknown) => {
      const value = parseOrExplain(parse, text);
      return spec.many ? [...((previous as unknown[] | undefined) ?? []), value] : value;
    });
  }
  return option;
}

function parseOrExplain(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function valuesOf(names: readonly FlagName[], given: Record<string, unknown>): FlagValues<FlagName> {
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const spec = flagSpec(name);
    const option = new Option(spec.syntax);
    const value = given[option.attributeName()];
    // Commander keeps --no-x as an x that is true without it.
    values[name] = option.negate ? value === false : (value ?? (spec.many ? [] : spec.parse ? spec.fallback : false));
  }
  return values as FlagValues<FlagName>;
}

/** Commander reports help and version as errors too; those are fine. Real ones become one line with a suggestion. */
function explainUsage(error: CommanderError, argv: readonly string[], io: Io): ExitCode {
  if (error.exitCode === 0) return EXIT.ok;
  if (error.code === 'commander.help') return EXIT.usage;
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*?)\?\)/s, ' (did you mean $1?)')
    .replace(/\s*\n\s*/g, ' ');
  const verb = VERBS.find((candidate) => candidate.name === argv[0]);
  io.err(`dejavm: ${text}; see dejavm ${verb ? `${verb.name} ` : ''}--help\n`);
  return EXIT.usage;
}
