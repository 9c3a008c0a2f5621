/**
 * A folder as users have it: a project of their own with dejavm among its dependencies, nothing else of this
 * repository. For tests that run what is printed. Relies on a built `dist/` and on npm's `npx`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface UserProject {
  readonly folder: string;
  path(name: string): string;
  write(name: string, text: string | Uint8Array): void;
  /** Runs a line as a person would paste it into bash there. Traces without a name stay in the folder, too. */
  run(line: string, env?: Readonly<Record<string, string>>): Ran;
  remove(): void;
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function userProject(): UserProject {
  const folder = mkdtempSync(join(tmpdir(), 'dejavm-user-'));
  const path = (name: string) => join(folder, name);
  mkdirSync(path('node_modules/.bin'), { recursive: true });
  symlinkSync(root, path('node_modules/dejavm'), 'dir');
  symlinkSync(join(root, 'bin/dejavm.js'), path('node_modules/.bin/dejavm'));
  writeFileSync(path('package.json'), JSON.stringify({ type: 'module', dependencies: { dejavm: '*' } }));
  return {
    folder,
    path,
    write: (name, text) => writeFileSync(path(name), text),
    run(line, env = {}) {
      const PATH = [path('node_modules/.bin'), dirname(process.execPath), process.env.PATH].join(delimiter);
      const { VITEST: _, NODE_TEST_CONTEXT: __, ...inherited } = process.env;
      const { status, stdout, stderr } = spawnSync('bash', ['-c', line], {
        cwd: folder,
        // npx asks for nothing that is not here.
        env: { ...inherited, PATH, XDG_DATA_HOME: folder, NO_COLOR: '1', npm_config_yes: 'false', ...env },
        encoding: 'utf8',
        input: '',
        maxBuffer: 2 ** 28,
      });
      return { code: status, out: stdout, err: stderr };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
