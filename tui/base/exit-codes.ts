/**
 * What the process's exit status means: declared once for the code, for `--help` and for the guides.
 * Relies on nothing; the mapping from errors to codes is in errors.ts.
 */
export const EXIT = {
  ok: 0,
  difference: 1,
  usage: 2,
  damaged: 3,
  internal: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const MEANING: Record<keyof typeof EXIT, string> = {
  ok: 'fine',
  difference: 'a difference or a failure was found',
  usage: 'usage: bad flags or files; output that cannot be written (a full disk), standard output included',
  damaged: "damaged or incompatible file: a trace, a campaign's database",
  internal: 'internal error of dejavm (DEJAVM_DEBUG=1 shows the stack)',
  interrupted: 'interrupted by Ctrl-C; what was recorded is kept',
};

/** Each exit code with what it means, in the table's order. */
export const exitCodes = (): (readonly [code: ExitCode, meaning: string])[] =>
  Object.entries(EXIT).map(([name, code]) => [code, MEANING[name as keyof typeof EXIT]]);

/** The paragraph that every help text ends with. */
export function exitCodeHelp(): string {
  const lines = exitCodes().map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`);
  return ['Exit codes:', ...lines].join('\n');
}
