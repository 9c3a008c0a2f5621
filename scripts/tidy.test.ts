import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Offence, offences, readSources } from './tidy.ts';

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

  it('keeps the house rules', () => {
    expect(show(offences(sources))).toEqual([]);
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

  it('an upward import inside the engine', () => {
    expect(plant('engine/isa/x.ts', "import '../machine/machine.ts';\n")).toHaveLength(1);
    expect(plant('engine/machine/x.ts', "import '../isa/index.ts';\n")).toEqual([]);
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
