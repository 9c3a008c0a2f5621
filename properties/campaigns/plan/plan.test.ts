import { describe, expect, it } from 'vitest';
import { testbed } from '../pool/testbed.fixtures.ts';
import { drawFault, SHARE_SPAN } from './draw.ts';
import { planCampaign } from './plan.ts';

const plan = (text: string, options = {}) => planCampaign(text, 'c.yaml', testbed.catalogue, options);
const refusal = (text: string): string => {
  try {
    plan(text);
  } catch (error) {
    expect((error as Error).name).toBe('UserError');
    return (error as Error).message;
  }
  throw new Error('the file was accepted');
};

/** Refuses the text at the first place where `culprit` stands, and nowhere else. */
function refusedAt(text: string, culprit: string, why: string): void {
  const before = text.slice(0, text.indexOf(culprit)).split('\n');
  const said = refusal(text);
  expect(said).not.toContain('\n');
  expect(said).toContain(`c.yaml:${before.length}:${before.at(-1)!.length + 1}: ${why}`);
}

const GOOD = `
name: trial
seed: 7
cells:
  - setup: [calm, slow]
    fault: [failstop, register]
    mechanism: [none, rehype, nilihype]
    size: 20
`;

/** What a text must not do to its reader: end in anything but a refusal, or cost more than the text is worth. */
describe('a campaign file that was made to do harm', () => {
  const cell = (mechanism: string, change = '') =>
    `name: x\ncells: [{ setup: calm, fault: failstop, mechanism: ${mechanism}, size: 1 }]\n${change}`;
  const many = (text: string, n: number) => text.repeat(n);
  const list = (text: string, n: number) => `[${Array(n).fill(text)}]`;
  const cases: [string, string, RegExp][] = [
    ['brackets in brackets', `name: ${many('[', 60_000)}`, /not YAML|longer/],
    ['mappings in mappings', many('{a: ', 15_000), /not YAML/],
    ['entries in entries', `${many('- ', 30_000)}x`, /not YAML/],
    ['keys in keys', `a: { ${many('b: c', 5000)} }`, /is nested too deep/],
    ['more text than a plan has', `name: x\n# ${many('x', 70_000)}`, /is longer than 65536 characters/],
    [
      'a key twice, in a list of a list',
      'name: x\ncells: [{ setup: calm, setup: slow }]',
      /key 'setup' is there twice/,
    ],
    ['thousands of keys', Array.from({ length: 7000 }, (_, i) => `k${i}: 1\n`).join(''), /and 6981 more mistakes/],
    [
      'aliases of aliases of aliases',
      `a: &a ${list('x', 9)}\n${[...'bcdefghij'].map((c, i) => `${c}: &${c} ${list(`*${'abcdefghi'[i]}`, 9)}\n`).join('')}`,
      /Excessive alias count/,
    ],
    ['an alias of itself', 'name: x\ncells: &a [*a]', /c.yaml:2:12: expected object/],
    ['a key that objects have', cell('rehype', '__proto__: { seed: 2 }'), /^c.yaml:3:1: unknown key '__proto__'$/],
    [
      'a mechanism of that name',
      cell('rehype', 'mechanisms: { __proto__: { recovery: rehype } }'),
      /unknown key '__proto__'/,
    ],
    ['a mechanism that objects have', cell('constructor'), /there is no mechanism 'constructor'/],
    ['a set-up that objects have', cell('rehype', 'overhead: [toString]'), /there is no set-up 'toString'/],
    ['a list without end', cell(list('rehype', 2000)), /the list is too long: expected at most 1000/],
    [
      'lists that multiply',
      `name: x\ncells: [{ setup: ${list('calm', 900)}, fault: ${list('failstop', 900)}, mechanism: ${list('rehype', 900)}, size: 1 }]`,
      /its lists come to more than 10000 cells/,
    ],
    [
      'lists that multiply to nothing',
      `name: x\nmechanisms: { h: { recovery: none, enhance: [a] } }\ncells: [{ setup: ${list('calm', 900)}, fault: ${list('failstop', 900)}, mechanism: ${list('h', 900)}, size: 1 }]`,
      /its lists come to more than 10000 cells/,
    ],
    [
      'more injections than anybody runs',
      cell('[rehype, nilihype]').replace('size: 1', 'size: 1000000'),
      /comes to 2000000 injections, expected at most 1000000/,
    ],
    [
      'a number beyond what numbers can be',
      cell('rehype', 'seed: 9007199254740991'),
      /expected a seed: a whole number from 0 to 281474976710656/,
    ],
    [
      'a name that no file can have',
      cell('rehype').replace('name: x', `name: ${many('x', 300)}`),
      /expected a name of .* at most 100/,
    ],
    ['another YAML with other types', `%YAML 1.1\n---\nname: !!set { x }\n`, /expected a name/],
    ['keys that are no names', '? [a, b]\n: 1\n', /unknown key '\[ a, b \]'/],
  ];
  it.each(cases)('%s', (_what, text, why) => expect(refusal(text)).toMatch(why));
});

describe('a campaign file', () => {
  it('multiplies lists out: set-up, then fault class, then mechanism', () => {
    const { cells } = plan(GOOD);
    expect(cells.map(({ setup, faultClass, mechanism }) => `${setup} ${faultClass} ${mechanism.recovery}`)).toEqual([
      'calm failstop none',
      'calm failstop rehype',
      'calm failstop nilihype',
      'calm register none',
      'calm register rehype',
      'calm register nilihype',
      ...['failstop', 'register'].flatMap((f) => ['none', 'rehype', 'nilihype'].map((m) => `slow ${f} ${m}`)),
    ]);
    expect(cells.map(({ id }) => id)).toEqual(cells.map((_, i) => i + 1));
    expect(cells.every(({ seed, size }) => seed === 7 && size === 20)).toBe(true);
  });

  it('means the same whatever its comments and layout, and not when a size changes', () => {
    const same = GOOD.replace('[calm, slow]', '\n      - calm # first\n      - slow');
    expect(plan(same).hash).toBe(plan(GOOD).hash);
    expect(plan(GOOD.replace('size: 20', 'size: 21')).hash).not.toBe(plan(GOOD).hash);
    expect(plan(GOOD.replace('seed: 7', 'seed: 8')).hash).not.toBe(plan(GOOD).hash);
  });

  it('says of each cell what it draws otherwise than usual', () => {
    const { cells } = plan(`${GOOD}
  - { setup: calm, fault: code, mechanism: none, size: 1, triggers: { over: machine, run: [10, 40] }, code: { repair: false } }
  - { setup: calm, fault: memory, mechanism: none, size: 1, memory: { where: [page-table] }, triggers: { over: time } }
`);
    expect(cells[0]!.variant).toBeUndefined();
    expect(cells.slice(-2).map(({ variant }) => variant)).toEqual([
      'triggers.over machine; triggers.run 10 40; code.repair false',
      'memory.where page-table',
    ]);
  });

  it("knows mechanisms of one's own, and lists enhancements in the mechanism's order", () => {
    const { cells } = plan(`
name: own
mechanisms: { half: { recovery: rehype, enhance: [timer, locks] } }
cells: [{ setup: calm, fault: failstop, mechanism: half, size: 1 }]`);
    expect(cells[0]).toMatchObject({
      mechanism: { recovery: 'rehype', enhance: ['locks', 'timer'] },
      mechanismName: 'half',
    });
  });

  it('makes ladders: cumulative in the given order, and all but one', () => {
    const { cells } = plan(`
name: ladder
ladders: [{ setup: calm, fault: failstop, mechanism: rehype, order: [timer, locks, irq], size: 5 }]`);
    expect(cells.map(({ rung, mechanism }) => [rung?.ladder, rung?.step, rung?.name, mechanism.enhance])).toEqual([
      ['rehype cumulative', 0, 'basic', []],
      ['rehype cumulative', 1, '+ timer', ['timer']],
      ['rehype cumulative', 2, '+ locks', ['locks', 'timer']],
      ['rehype cumulative', 3, '+ irq', ['locks', 'irq', 'timer']],
      ['rehype leave-one-out', 0, 'all', ['locks', 'irq', 'timer']],
      ['rehype leave-one-out', 1, 'all but timer', ['locks', 'irq']],
      ['rehype leave-one-out', 2, 'all but locks', ['irq', 'timer']],
      ['rehype leave-one-out', 3, 'all but irq', ['locks', 'timer']],
    ]);
  });

  it('makes a rung of several enhancements that belong together', () => {
    const { cells } = plan(`
name: ladder
ladders: [{ setup: calm, fault: failstop, mechanism: nilihype, order: [timer, [sched, irq]], size: 5 }]`);
    expect(cells.map(({ rung, mechanism }) => [rung?.name, mechanism.enhance])).toEqual([
      ['basic', []],
      ['+ timer', ['timer']],
      ['+ sched, irq', ['irq', 'timer', 'sched']],
      ['all', ['irq', 'timer', 'sched']],
      ['all but timer', ['irq', 'sched']],
      ['all but sched, irq', ['timer']],
    ]);
  });

  it("takes the papers' sizes, from the file or for every cell of their classes", () => {
    const sizes = (text: string, options = {}) => plan(text, options).cells.map(({ size }) => size);
    const text = (size: string) =>
      `name: p\ncells: [{ setup: calm, fault: [failstop, register, code, memory], mechanism: none, size: ${size} }]`;
    expect(sizes(text('9'), { paperScale: true })).toEqual([1000, 5000, 2000, 9]);
    expect(sizes(text('paper').replace(', memory', ''))).toEqual([1000, 5000, 2000]);
    refusedAt(text('paper'), 'paper', "the papers have no campaign of class 'memory': give a number of injections");
  });

  it("takes set-ups as long as the papers', where there are such", () => {
    const paperScale = (setup: string) => (setup === 'calm' ? 'calm@paper' : undefined);
    const catalogue = { ...testbed.catalogue, paperScale };
    const text = `name: p
cells: [{ setup: [calm, slow], fault: failstop, mechanism: none, size: 9 }]
ladders: [{ setup: calm, fault: failstop, mechanism: rehype, kind: leave-one-out, order: [timer], size: 5 }]`;
    const setups = (options: object) =>
      planCampaign(text, 'c.yaml', catalogue, options).cells.map(({ setup, rung }) =>
        rung ? `${setup} ladder` : setup,
      );
    expect(setups({})).toEqual(['calm', 'slow', 'calm ladder', 'calm ladder']);
    expect(setups({ paperScale: true })).toEqual(['calm@paper', 'slow', 'calm ladder', 'calm ladder']);
  });

  it('is refused with line, column and reason', () => {
    const cell = (text: string) => `name: x\ncells:\n  - { setup: calm, fault: failstop, mechanism: none, ${text} }`;
    expect(refusal('')).toMatch(/^c.yaml:1:1: 'name' is missing/);
    expect(refusal('name: x')).toBe("c.yaml:1:1: nothing to run: give at least one entry of 'cells' or 'ladders'");
    expect(refusal('name: [x')).toMatch(/^c.yaml:1:9: not YAML: /);
    expect(refusal('name: x\nname: y')).toMatch(/^c.yaml:2:1: key 'name' is there twice$/);
    expect(refusal('just text')).toMatch(/^c.yaml:1:1: /);
    refusedAt(cell('size: 1, colour: red'), 'colour', "unknown key 'colour'");
    refusedAt(cell('size: 0'), '0', 'expected a number of injections from 1 to 1000000');
    refusedAt(cell('size: many'), 'many', 'expected a number of injections');
    refusedAt(cell('seed: 3'), '{', "'size' is missing: expected a number of injections");
    refusedAt(cell('size: 1, triggers: { run: [90, 10] }'), '[90', 'an impossible trigger');
    refusedAt(
      cell('size: 1, triggers: { run: [10, 190] }'),
      '190',
      'expected a number of percent of the run from 0 to 100',
    );
    refusedAt(cell('size: 1, triggers: { run: [0, 0] }'), '[0', 'an impossible trigger: nothing has run yet');
    refusedAt(
      cell('size: 1, triggers: { instructions: [0, 1.5] }'),
      '1.5',
      'expected a whole number of HS-mode instructions',
    );
    refusedAt(cell('size: 1, code: { window: 15 }'), '15', "expected 16 (bytes) or 'instruction'");
    refusedAt(cell('size: 1, two: { first: [device] }'), 'device', 'expected one of failstop, register');
    refusedAt(cell('size: 1, two: { second: [] }'), '[]', 'the list is empty');
    refusedAt(cell('size: 1, memory: { where: [heap, attic] }'), 'attic', 'expected one of data, heap');
    refusedAt(cell('size: 1').replace('calm', 'storm'), 'storm', "there is no set-up 'storm': expected one of calm");
    refusedAt(cell('size: 1').replace('calm', 'broken'), 'broken', "set-up 'broken': image guest.elf is missing");
    refusedAt(
      cell('size: 1').replace('none', 'prayer'),
      'prayer',
      "there is no mechanism 'prayer': expected one of none",
    );
    refusedAt(cell('size: 1').replace('failstop', 'device'), 'device', "faults of class 'device' cannot be injected");
    refusedAt(cell('size: 1').replace('failstop', 'bitrot'), 'bitrot', 'expected one of failstop, register');
    refusedAt(cell('size: 1').replace('failstop', '[failstop, bitrot]'), 'bitrot', 'expected one of failstop');
    expect(refusal(`${cell('size: 1')}\noverhead: [calm, calm]`)).toBe("c.yaml:4:18: set-up 'calm' is there twice");
    const twice = `${cell('size: 1')}\n${cell('size: 1').split('\n')[2]}`;
    expect(refusal(twice)).toMatch(/^c.yaml:4:48: this cell is there twice: calm, failstop, none, seed 1$/);
  });

  it('is refused for enhancements that a mechanism does not have, once and where they stand', () => {
    const own = (enhance: string) => `name: x
mechanisms:
  own: { recovery: rehype, enhance: [${enhance}] }
cells:
  - { setup: calm, fault: [failstop, register], mechanism: own, size: 3 }`;
    refusedAt(own('locks, magic'), 'magic', "rehype has no enhancement 'magic': expected some of locks, irq, timer");
    expect(refusal(own('locks, locks'))).toBe("c.yaml:3:45: enhancement 'locks' is there twice");
    const ladder = (text: string) => `name: x\nladders: [{ setup: calm, fault: failstop, size: 2, ${text} }]`;
    refusedAt(ladder('mechanism: rehype, order: [sched]'), 'sched', "rehype has no enhancement 'sched'");
    refusedAt(ladder('mechanism: none'), 'none', 'a ladder needs a mechanism that has enhancements');
  });

  it('tells all mistakes at once, in order of line', () => {
    const lines = refusal(
      'name: x\ncells:\n  - { setup: storm, fault: failstop, mechanism: prayer, size: 1 }\noverhead: [attic]',
    );
    expect(lines.split('\n  ').map((line) => line.slice(0, 11))).toEqual(['c.yaml:3:14', 'c.yaml:4:12']);
  });
});

describe('drawn faults', () => {
  const { cells } = plan(GOOD);
  const drawn = (cell: (typeof cells)[number], n: number) => drawFault(cell, cell.options, n);
  const rows = Array.from({ length: 300 }, (_, n) => n);

  it('are the same for every mechanism, and others for another set-up, class or row', () => {
    const [none, rehype, , register] = cells;
    expect(rows.map((n) => drawn(none!, n))).toEqual(rows.map((n) => drawn(rehype!, n)));
    expect(drawn(none!, 0)).not.toEqual(drawn(none!, 1));
    expect(drawn(none!, 0).when).not.toEqual(drawn(register!, 0).when);
    expect(drawn(none!, 0).when).not.toEqual(drawn(cells[6]!, 0).when);
  });

  it('stay the same when a cell grows', () => {
    const [bigger] = plan(GOOD.replace('size: 20', 'size: 500')).cells;
    expect(rows.slice(0, 20).map((n) => drawn(bigger!, n))).toEqual(rows.slice(0, 20).map((n) => drawn(cells[0]!, n)));
  });

  it('cover their ranges, ends included, and nothing else', () => {
    const [cell] = plan(
      GOOD.replace('size: 20', 'size: 20\n    triggers: { run: [25, 75], instructions: [3, 6] }'),
    ).cells;
    const times = rows.map((n) => drawn(cell!, n).when).filter((when) => when.over === 'time');
    expect(times).toHaveLength(rows.length);
    const ks = times.map(({ k }) => k);
    expect(new Set(ks)).toEqual(new Set([4, 5, 6, 7]));
    const shares = times.map(({ runPpb }) => runPpb / 1e9);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.25);
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.75);
    expect(Math.min(...shares)).toBeLessThan(0.27);
    expect(Math.max(...shares)).toBeGreaterThan(0.73);
  });

  it('cover the instructions of some modes, where those are drawn from', () => {
    const [cell] = plan(GOOD.replace('size: 20', 'size: 20\n    triggers: { run: [25, 75], over: machine }')).cells;
    const shares = rows.map((n) => {
      const { when } = drawn(cell!, n);
      if (when.over !== 'machine') throw new Error('drawn from something else');
      return when.share / SHARE_SPAN;
    });
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.25);
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.75);
    expect(Math.min(...shares)).toBeLessThan(0.27);
    expect(Math.max(...shares)).toBeGreaterThan(0.73);
  });

  it('hit every register and bit about equally often', () => {
    const register = cells.find(({ faultClass }) => faultClass === 'register')!;
    const counts = new Array<number>(33).fill(0);
    const bits = new Set<number>();
    const bitsOfPc = new Set<number>();
    for (let n = 0; n < 16_000; n++) {
      const { fault } = drawn(register, n);
      if (fault.kind !== 'register') throw new Error('not a register fault');
      counts[fault.register]!++;
      (fault.register === 32 ? bitsOfPc : bits).add(fault.bit);
    }
    expect(counts[0]).toBe(0);
    // 500 expected each; five standard deviations.
    for (const count of counts.slice(1)) expect(Math.abs(count - 500)).toBeLessThan(112);
    expect(bits.size).toBe(64);
    // Of pc all but bit 0, which no hardware has.
    expect([...bitsOfPc].sort((a, b) => a - b)).toEqual(Array.from({ length: 63 }, (_, i) => i + 1));
  });
});
