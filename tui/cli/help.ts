/**
 * What there is of help besides the tables: the program in a line, and how help and version are asked for. Relies on
 * nothing.
 */
export const SUMMARY = 'Deterministic record/replay testbed for hypervisor recovery';
export const HELP_FLAG = { syntax: '-h, --help', help: 'show this help' } as const;
export const VERSION_FLAG = { syntax: '-V, --version', help: 'print the version' } as const;
export const HELP_VERB = {
  name: 'help',
  summary: 'show the help of a verb',
  argument: { name: 'verb', takes: 'verb', help: 'a verb', optional: true },
} as const;
