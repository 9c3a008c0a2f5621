/** Which programs a script calls, and with which arguments, as bash itself reads it; none of them is run. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Programs that printed commands may start, besides `.ci/run`; `mv` moves nothing. */
const PROGRAMS = ['dejavm', 'npm', 'node', 'vitest', 'mv'];

/**
 * @returns each call's program and arguments, in order. @throws Error when bash does not understand the script, or it
 * starts others
 */
export function callsOf(script: string): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'dejavm-calls-'));
  const functions = PROGRAMS.map((name) => `${name}() { printf '%s\\0' $(( $# + 1 )) ${name} "$@" >&3; }`);
  const prologue = ['exec 3>calls', ...functions, 'npx() { "$@"; }', 'set -e'];
  try {
    mkdirSync(join(folder, '.ci'));
    writeFileSync(join(folder, '.ci/run'), '#!/bin/bash\n', { mode: 0o755 });
    execFileSync('/bin/bash', ['-c', [...prologue, script].join('\n')], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: '' },
    });
    return callsIn(readFileSync(join(folder, 'calls'), 'utf8').split('\0').slice(0, -1));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function callsIn(words: readonly string[]): string[][] {
  if (words.length === 0) return [];
  const end = 1 + Number(words[0]);
  return [words.slice(1, end), ...callsIn(words.slice(end))];
}
