import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { folderOffences, type Offence, offences, readDocuments, readSources, widthOffences } from './tidy.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const show = (found: Offence[]) => found.map((o) => `${o.path}:${o.line} ${o.rule}`);

describe('the tree', () => {
  const sources = readSources(root);

  it('is read whole: every layer has sources', () => {
    for (const folder of ['engine', 'traces', 'replay', 'properties', 'tui']) {
      expect(
        sources.some((source) => source.path.startsWith(`${folder}/`)),
        folder,
      ).toBe(true);
    }
  });

  const documents = readDocuments(root);

  it('keeps the house rules', () => {
    expect(show(offences(sources))).toEqual([]);
    expect(show(documents.flatMap(widthOffences))).toEqual([]);
  });

  it('says of every folder what it is for', () => {
    const layers = [...sources, ...documents].filter(({ path }) => /^(engine|replay|properties|tui)\//.test(path));
    expect(show(folderOffences(new Map(layers.map(({ path, text }) => [path, text]))))).toEqual([]);
  });
});

describe('the tidy check finds', () => {
  const plant = (path: string, text: string) => show(offences([{ path, text }]));

  it('an import against the arrow', () => {
    expect(plant('engine/machine/x.ts', "import { a } from '../../traces/index.ts';\n")).toEqual([
      'engine/machine/x.ts:1 imports traces/index.ts: engine may not import from traces',
    ]);
    expect(plant('traces/x.ts', "import type { a } from '../engine/index.ts';\n")).toHaveLength(1);
    expect(plant('replay/x.ts', "const a = await import('../tui/index.ts');\n")).toHaveLength(1);
  });

  it('an import past the door', () => {
    expect(plant('replay/x.ts', "\nexport { a } from '../engine/machine/machine.ts';\n")).toEqual([
      'replay/x.ts:2 imports engine/machine/machine.ts: go through the door engine/index.ts',
    ]);
  });

  it('an import past a door inside a layer, but not by tests, and not of a folder above', () => {
    const deep = "import { a } from '../state/pages.ts';\nimport { b } from '../types.ts';\n";
    expect(plant('engine/machine/bus/x.ts', deep)).toEqual([
      'engine/machine/bus/x.ts:1 imports engine/machine/state/pages.ts: go through the door engine/machine/state/index.ts',
    ]);
    expect(plant('engine/machine/bus/x.test.ts', deep)).toEqual([]);
    expect(plant('engine/machine/x.ts', "import { a } from './state/index.ts';\nimport './y.ts';\n")).toEqual([]);
    expect(plant('tui/x.ts', "import { a } from './cli/json/index.ts';\n")).toEqual([
      'tui/x.ts:1 imports tui/cli/json/index.ts: go through the door tui/cli/index.ts',
    ]);
  });

  it('a folder without a door, and a door that does not say its job', () => {
    const of = (...files: [string, string][]) => show(folderOffences(new Map(files)));
    expect(of(['tui/a/x.ts', ''])).toEqual(['tui/a:1 has no door: an index.ts, or a README.md']);
    expect(of(['tui/a/x.ts', ''], ['tui/a/index.ts', 'export {}'])).toHaveLength(1);
    expect(of(['tui/a/x.ts', ''], ['tui/a/index.ts', '/** Its job. */'])).toEqual([]);
    expect(of(['engine/a/x.c', ''], ['engine/a/README.md', '# a'], ['engine/b/x.test.ts', ''])).toEqual([]);
  });

  it('a comment or a paragraph that is too wide, but no string, table or command', () => {
    const wide = 'word '.repeat(30);
    const of = (path: string, text: string) => show(widthOffences({ path, text }));
    expect(of('tui/x.ts', `/** ${wide} */\nconst a = '${wide}';\n`)).toHaveLength(1);
    expect(of('a.md', `${wide}\n\n| ${wide} |\n\n\`\`\`\n${wide}\n\`\`\`\n- ${wide}\n`)).toHaveLength(2);
  });

  it('AssemblyScript that is not formatted', () => {
    const of = (line: string) => plant('engine/core/arch/x.ts', `${line}\n`);
    for (const line of ['if(a) b();', 'f(a,b);', ' let a = 1;', '  a = 1; ', '\ta = 1;', `f(${'a, '.repeat(50)});`])
      expect(of(line), line).toHaveLength(1);
    expect(of("  if (a) f(b, ','); // so,so")).toEqual([]);
  });

  it('an upward import inside the engine', () => {
    expect(plant('engine/isa/x.ts', "import '../machine/index.ts';\n")).toHaveLength(1);
    expect(plant('engine/machine/x.ts', "import '../isa/index.ts';\n")).toEqual([]);
  });

  it('an upward import inside the privileged architecture', () => {
    expect(plant('engine/core/arch/pages/x.ts', "import { a } from '../trap/trap';\n")).toEqual([
      'engine/core/arch/pages/x.ts:1 imports engine/core/arch/trap/trap: engine/core/arch/pages lies below engine/core/arch/trap',
    ]);
    expect(plant('engine/core/arch/trap/x.ts', "import { a } from '../pages/pages';\n")).toEqual([]);
  });

  it('files that import each other round about, types included', () => {
    const found = offences([
      { path: 'replay/a.ts', text: "import { b } from './b.ts';\n" },
      { path: 'replay/b.ts', text: "import type { C } from './c.ts';\n" },
      { path: 'replay/c.ts', text: "import './d.ts';\nexport { a } from './a.ts';\n" },
      { path: 'replay/d.ts', text: '' },
    ]);
    expect(show(found)).toEqual(['replay/a.ts:1 is part of an import cycle: replay/a.ts, replay/b.ts, replay/c.ts']);
  });

  it('a host clock or randomness in the engine, but not in comments', () => {
    expect(plant('engine/core/x.ts', 'const t = Date.now();\n')).toHaveLength(1);
    expect(plant('engine/core/x.ts', 'const t = 1; // not Date.now()\n')).toEqual([]);
    expect(plant('replay/x.ts', 'const t = Date.now();\n')).toEqual([]);
  });

  it('a room that is too big', () => {
    expect(plant('tui/x.ts', 'x\n'.repeat(451))).toHaveLength(1);
  });
});
