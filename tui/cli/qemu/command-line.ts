/**
 * Brings QEMU's spelling to ours before the parser sees it: one dash for long names (`-smp 2`), options that are only
 * QEMU's (options.ts), and, after `record`, the name of QEMU's program. Relies on the flag table for which flags take
 * values.
 */
import { didYouMean } from '../../../engine/index.ts';
import { UsageError } from '../../base/index.ts';
import { FLAGS, longName, spellingsOf } from '../flags.ts';
import { QEMU_OPTIONS, type QemuOption, SHARED } from './options.ts';

/** `-smp` and its like, and our long form of each. */
const OURS = new Map(SHARED.map((name) => [`-${longName(name)}`, `--${longName(name)}`])).set('--m', '--memory');
/** QEMU takes one dash or two. */
const THEIRS = new Map(
  QEMU_OPTIONS.flatMap((option) =>
    option.names.flatMap((name) => [`-${name}`, `--${name}`].map((text): [string, QemuOption] => [text, option])),
  ),
);
const WITH_VALUE = new Set(Object.values(FLAGS).flatMap((flag) => ('parse' in flag ? spellingsOf(flag.syntax) : [])));
/** A long name with one dash, and no file behind `-o`: to the parser it would be `-m` and the size `achne`. */
const UNKNOWN = /^-(?!o)[a-z][a-z_-]{2,}$/;
const QEMU_PROGRAM = /(^|\/)qemu-system-(riscv64)?$/;

/** Flags of other verbs that QEMU uses for something else (`replay -g 8M`) keep their meaning there. */
const QEMU_VERBS: readonly string[] = ['record'];

/**
 * The command line in our own spelling; a flag's value and all after `--` stay as they are.
 * @param argv arguments after `dejavm`
 * @throws UsageError for an option of QEMU's that cannot be had, saying why
 */
export function normaliseArgv(argv: readonly string[]): string[] {
  const [verb = ''] = argv;
  const theirs: ReadonlyMap<string, QemuOption> = QEMU_VERBS.includes(verb) ? THEIRS : new Map();
  const out: string[] = [];
  for (let n = 0; n < argv.length; n++) {
    const arg = argv[n]!;
    if (arg === '--') return [...out, ...argv.slice(n)];
    const equals = arg.startsWith('-') ? arg.indexOf('=') : -1;
    const head = equals < 0 ? arg : arg.slice(0, equals);
    const attached = equals < 0 ? undefined : arg.slice(equals + 1);
    const option = theirs.get(head);
    if (option) {
      const takesNext = option.hasValue && attached === undefined;
      out.push(...taken(head, option, takesNext ? argv[n + 1] : attached));
      if (takesNext) n++;
    } else if (theirs.size > 0 && UNKNOWN.test(head) && !OURS.has(head)) {
      const names = [...theirs.keys(), ...OURS.keys()].filter((name) => !name.startsWith('--'));
      throw new UsageError(`unknown option '${head}'${didYouMean(head, names)}; see dejavm ${verb} --help`);
    } else if (n !== 1 || theirs.size === 0 || !QEMU_PROGRAM.test(arg)) {
      const ours = (OURS.get(head) ?? head) + arg.slice(head.length);
      out.push(ours);
      if (WITH_VALUE.has(ours) && n + 1 < argv.length) out.push(argv[++n]!);
    }
  }
  return out;
}

function taken(spelling: string, { hasValue, take }: QemuOption, value: string | undefined): readonly string[] {
  if (hasValue && value === undefined) throw new UsageError(`option '${spelling}' argument missing`);
  try {
    return take(value ?? '');
  } catch (error) {
    if (!(error instanceof UsageError) || error.message.startsWith(spelling)) throw error;
    throw new UsageError(`${spelling}${hasValue ? ` ${value}` : ''}: ${error.message}`);
  }
}
