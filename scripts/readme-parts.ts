/**
 * The README's generated parts: the table of verbs, exit codes, and what `dejavm demo` prints. Relies on a built
 * `dist/`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodes } from '../tui/base/exit-codes.ts';
import type { Verb } from '../tui/cli/command.ts';
import { VERBS } from '../tui/cli/verbs.ts';

/** One row a verb, in the order of `dejavm --help`. */
export function verbTable(): string {
  const rows = VERBS.map((verb) => `| \`${usage(verb)}\` | ${verb.summary.replaceAll('|', '\\|')} |`);
  return ['| command | what it is for |', '|---|---|', ...rows].join('\n');
}

function usage(verb: Verb): string {
  const words = verb.arguments.map(({ name, optional, many }) => {
    const typed = `${name.toUpperCase()}${many ? '...' : ''}`;
    return optional ? `[${typed}]` : typed;
  });
  return ['dejavm', verb.name, ...words].join(' ');
}

export function exitCodeList(): string {
  return ['| exit code | means |', '|---|---|', ...exitCodes().map(([code, text]) => `| ${code} | ${text} |`)].join(
    '\n',
  );
}

/** What a demo prints now, in a trace folder of its own, as a fenced block. @throws Error when the demo fails */
export function demoTranscript(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dejavm-demo-'));
  try {
    const program = fileURLToPath(new URL('../bin/dejavm.js', import.meta.url));
    const printed = execFileSync(process.execPath, [program, 'demo'], {
      cwd: folder,
      env: { ...process.env, XDG_DATA_HOME: folder, NO_COLOR: '1' },
      encoding: 'utf8',
      // Progress goes to standard error.
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return ['```', printed.replace(/[ \t]+$/gm, '').trimEnd(), '```'].join('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
