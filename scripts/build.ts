/**
 * Builds what `npm ci` leaves to build: the AssemblyScript layout, `dist/arch.wasm`, `dist/**` from TypeScript, and the
 * entries that other programs import.
 * Each part is skipped when its inputs have not changed. Relies on the dev dependencies; checks nothing else.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeAssemblyScriptLayout } from '../engine/core/layout/layout-gen.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name: string) => `${root}node_modules/.bin/${name}`;
const run = (command: string, args: string[]) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });

/** Compiles the privileged architecture when its sources or the layout changed. */
export function buildArch(): void {
  writeAssemblyScriptLayout();
  const folder = `${root}engine/core/arch/`;
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort();
  if (!sources.includes('index.ts')) return;
  const hash = createHash('sha256');
  for (const name of sources) hash.update(name).update(readFileSync(folder + name));
  const stamp = `${root}dist/arch.wasm.inputs`;
  const digest = hash.digest('hex');
  if (existsSync(`${root}dist/arch.wasm`) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  mkdirSync(`${root}dist`, { recursive: true });
  run(process.execPath, [
    `${root}node_modules/assemblyscript/bin/asc.js`,
    'engine/core/arch/index.ts',
    '--outFile',
    'dist/arch.wasm',
    '--runtime',
    'stub',
    '--importMemory',
    '--importTable',
    '--noExportMemory',
    '-O3',
    '--noAssert',
    '--memoryBase',
    String(0x20000),
  ]);
  writeFileSync(stamp, digest);
}

/**
 * Writes the entries of the package, `dejavm/replay` and its like, one for each folder's door. On a Node that is too
 * old the doors cannot even be linked: modules and functions of Node that they name are missing there. So an entry
 * looks at the version first, and only then imports the door.
 */
async function buildEntries(): Promise<void> {
  mkdirSync(`${root}dist/entries`, { recursive: true });
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { exports: Record<string, unknown> };
  for (const name of Object.keys(exports).map((entry) => entry.slice('./'.length))) {
    const door = `../${name}/index.js`;
    const names = Object.keys(await import(`${root}dist/${name}/index.js`)).sort();
    const code = [
      "import { requireNode } from '../../bin/node-floor.js';",
      '',
      `requireNode('dejavm/${name}');`,
      `export const { ${names.join(', ')} } = await import('${door}');`,
    ];
    writeChanged(`${root}dist/entries/${name}.js`, `${code.join('\n')}\n`);
    writeChanged(`${root}dist/entries/${name}.d.ts`, `export * from '${door}';\n`);
  }
}

/** Leaves a file alone that is right: somebody may be reading it. */
function writeChanged(path: string, text: string): void {
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
}

if (import.meta.main) {
  buildArch();
  run(bin('tsc'), ['-b']);
  await buildEntries();
}
