/**
 * What a shell may offer for a value, by its kind. Relies on those who read the values for what there is to choose
 * from.
 */
import { CHECK_WORDS, ENHANCE_WORDS, RECOVERIES, setupNames, UNMODIFIED_FORMS } from '../../../properties/index.ts';
import { EVERY, LATEST, LOG_KINDS } from '../../../replay/index.ts';
import { DUMPED_KINDS } from '../../../traces/index.ts';
import type { Verb } from '../command.ts';
import { EXPORT_FORMATS, FAULT_EXAMPLES } from '../flags.ts';
import { HELP_VERB } from '../help.ts';
import { DRIVERS, FIRMWARE_WORDS } from '../machine/index.ts';
import { DRIVE_FILE, DRIVE_RANDOM, NETDEV_KINDS, NOW } from '../parse-devices.ts';
import { BUNDLED_PLANS } from '../plans.ts';
import { SHELLS } from '../shells.ts';
import { SECTIONS } from '../show/index.ts';
import type { Takes } from '../takes.ts';

export interface Suggestion {
  /** A word that ends in `=`, `,` or `@` goes on behind it. */
  readonly words: readonly string[];
  readonly files?: true;
  /** Names in the trace folder. */
  readonly traces?: true;
  /** Several words with commas between them. */
  readonly list?: true;
  /** What a file's name may stand behind, such as `file=`. */
  readonly filesAfter?: string;
}

/** The offer for each kind of value. @param verbs the table, for the values that are verbs */
export function suggestions(verbs: readonly Verb[]): Readonly<Record<Takes, Suggestion>> {
  const faults = FAULT_EXAMPLES.map((example) => /^[a-z]+=?/.exec(example)![0]);
  return {
    text: { words: [] },
    file: { words: [], files: true },
    trace: { words: [LATEST], files: true, traces: true },
    firmware: { words: FIRMWARE_WORDS, files: true },
    fault: { words: faults },
    'fault-plan': { words: faults.map((word) => (word.endsWith('=') ? word : `${word}@`)) },
    drive: { words: [`${DRIVE_FILE}=`, `${DRIVE_RANDOM}=`], filesAfter: `${DRIVE_FILE}=` },
    netdev: { words: NETDEV_KINDS.map((kind) => `${kind},id=`) },
    device: { words: Object.keys(DRIVERS) },
    date: { words: [NOW] },
    setup: { words: [...setupNames(), ...UNMODIFIED_FORMS.map((form) => form.replace('FILE', ''))] },
    recovery: { words: RECOVERIES },
    enhancements: { words: ENHANCE_WORDS, list: true },
    checks: { words: CHECK_WORDS, list: true },
    'export-format': { words: EXPORT_FORMATS },
    'record-kinds': { words: DUMPED_KINDS, list: true },
    'log-kinds': { words: LOG_KINDS, list: true },
    every: { words: EVERY },
    plan: { words: BUNDLED_PLANS, files: true },
    sections: { words: SECTIONS, list: true },
    shell: { words: SHELLS },
    verb: { words: [...verbs.map(({ name }) => name), HELP_VERB.name] },
  };
}
