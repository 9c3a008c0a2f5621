/**
 * Every command that is printed is one that exists, with flags that exist. That they do what they say: printed.peer.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { cli } from '../../tui/cli/test-io.ts';
import { callsOf } from './calls.ts';
import {
  printedInDocuments,
  printedInHelp,
  printedInMarkdown,
  printedInSources,
  printedNext,
  typed,
} from './collect.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/** What is wrong with a call; undefined when nothing is. */
async function problem([program, ...args]: readonly string[]): Promise<string | undefined> {
  switch (program) {
    case 'dejavm': {
      const { code, err } = await cli(args, { parseOnly: true });
      return code === 0 ? undefined : err;
    }
    case 'npm': {
      const known = ['ci', 'test'].includes(args[0]!) || (args[0] === 'run' && args[1]! in scripts);
      return known ? undefined : 'no such script in package.json';
    }
    case 'vitest':
    case 'node': {
      const missing = args.filter((arg) => arg.includes('/') && !existsSync(join(root, arg)));
      return missing.length === 0 ? undefined : `no such file: ${missing.join(', ')}`;
    }
    default:
      return undefined;
  }
}

async function problems(printed: readonly { readonly where: string; readonly script: string }[]): Promise<string[]> {
  const found: string[] = [];
  for (const each of printed) {
    for (const call of callsOf(typed(each))) {
      const what = await problem(call);
      if (what !== undefined) found.push(`${each.where}: ${call.join(' ')}: ${what}`);
    }
  }
  return found;
}

describe('commands that can be typed', () => {
  test('in documents', async () => {
    const printed = printedInDocuments(root);
    expect(printed.length).toBeGreaterThan(30);
    expect(await problems(printed)).toEqual([]);
  });

  test('in --help', async () => {
    const printed = await printedInHelp();
    expect(printed.length).toBeGreaterThan(25);
    expect(await problems(printed)).toEqual([]);
  });

  test('in messages', async () => {
    const printed = printedInSources(root);
    expect(printed.map(({ script }) => script)).toContain('dejavm record -o FILE');
    expect(await problems(printed)).toEqual([]);
  });
});

describe('the collection', () => {
  const scriptsIn = (text: string) => printedInMarkdown('x.md', text).map(({ where, script }) => `${where} ${script}`);

  it('takes blocks of commands and commands in the text, and leaves transcripts, usage lines and names of verbs', () => {
    expect(scriptsIn('a `dejavm ls` b `dejavm diff` `dejavm diff A B` `ls`\n')).toEqual(['x.md:1 dejavm ls']);
    expect(scriptsIn('\n```\nnpx dejavm ls\ndejavm demo\n```\n')).toEqual(['x.md:2 npx dejavm ls\ndejavm demo\n']);
    expect(scriptsIn('```\n$ dejavm ls\n```\n```c\nint x;\n```\n')).toEqual([]);
  });

  it('finds what a command says to type next, each kind once', () => {
    const output =
      "Usage: dejavm ls [options]\nx\n  replay it with: dejavm replay 'a b'\n   npx dejavm tui latest\nrow 1: dejavm info a\nrow 2: dejavm info b\n";
    expect(printedNext('w', output).map(({ script }) => script)).toEqual([
      "dejavm replay 'a b'",
      'npx dejavm tui latest',
      'dejavm info a',
    ]);
  });

  it('is read as bash reads it', () => {
    expect(callsOf("for t in a b; do npx dejavm info $t.djvm -o 'x y' && mv a b; done # why\n.ci/run")).toEqual([
      ['dejavm', 'info', 'a.djvm', '-o', 'x y'],
      ['mv', 'a', 'b'],
      ['dejavm', 'info', 'b.djvm', '-o', 'x y'],
      ['mv', 'a', 'b'],
    ]);
    expect(() => callsOf('frobnicate')).toThrow('frobnicate');
  });

  it('notices a verb, a flag, an argument and a file that are not there', async () => {
    const lines = [
      'dejavm recrod',
      'dejavm ls --jsno',
      'dejavm record u-boot.djvm',
      'node scripts/none.ts',
      'npm run none',
    ];
    expect(await problems(lines.map((script) => ({ where: 'w', script })))).toEqual([
      expect.stringContaining('did you mean record'),
      expect.stringContaining('did you mean --json'),
      expect.stringContaining('too many arguments'),
      expect.stringContaining('no such file'),
      expect.stringContaining('no such script'),
    ]);
  });
});
