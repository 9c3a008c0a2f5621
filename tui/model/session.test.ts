/** The model on a made-up run: moves, counts, events, commands, marks. No ink, no machine. */
import { describe, expect, test as unit } from 'vitest';
import { textOf } from '../panels/text.ts';
import { ACTIONS } from './actions.ts';
import { RECOVERED_RUN } from './fake-travel.ts';
import { runScript } from './input.ts';
import { type Screen, screenOf } from './screen.ts';
import { change } from './session.ts';
import { openSession as open, press } from './test-session.ts';

const panelOf = (screen: Screen, name: string) => screen.panels.flat().find((panel) => panel.name === name)!;

describe('moving', () => {
  unit('s and S step by one, or by the count typed before', () => {
    const session = open();
    press(session, 's');
    expect(session.travel.moment).toBe(1);
    press(session, '1', '0', 's');
    expect(session.travel.moment).toBe(11);
    press(session, '4', 'S');
    expect(session.travel.moment).toBe(7);
    expect(session.state.message).toBe('4 instructions back');
  });

  unit('steps stop at both ends and say so', () => {
    const session = open();
    press(session, 'S');
    expect(session.travel.moment).toBe(0);
    expect(session.state.message).toBe('at the start of the run');
    press(session, 'G', 's');
    expect(session.travel.moment).toBe(10_000);
    expect(session.state.message).toBe('at the end of the run');
  });

  unit('f, d and r go to fault, detection and resumption', () => {
    const session = open();
    press(session, 'f');
    expect([session.travel.moment, session.state.message]).toEqual([4000, 'fault: failstop, hart 1']);
    press(session, 'd');
    expect([session.travel.moment, session.state.message]).toEqual([4200, 'detected: hart 1 hangs']);
    press(session, 'r');
    expect(session.travel.moment).toBe(5000);
  });

  unit('a run without a fault says that there is none', () => {
    const session = open({ ...RECOVERED_RUN, inputs: [] });
    press(session, 'f');
    expect(session.state.isError).toBe(true);
    expect(session.travel.moment).toBe(0);
  });

  unit('c and C stop at fault, detection, resumption and the ends only', () => {
    const session = open();
    const visited = Array.from({ length: 5 }, () => {
      press(session, 'c');
      return session.travel.moment;
    });
    expect(visited).toEqual([4000, 4200, 5000, 10_000, 10_000]);
    press(session, 'C', 'C', 'C', 'C');
    expect(session.travel.moment).toBe(0);
  });

  unit('] and [ stop at every event', () => {
    const session = open();
    press(session, ']', ']', ']');
    expect(session.travel.moment).toBe(4000);
    press(session, '[');
    expect(session.travel.moment).toBe(900);
  });

  unit('a moment past the end is refused with the last one named', () => {
    const session = open();
    press(session, ':', ...'goto 10001', 'return');
    expect(session.travel.moment).toBe(0);
    expect(session.state.message).toBe('10001 is past the end: /tmp/fake.djvm has moments 0 to 10000');
  });
});

describe('harts', () => {
  unit('the screen follows the hart that executes next, until one is picked', () => {
    const session = open();
    press(session, ...'150g'.split(''));
    expect(session.state.hart).toBe(1);
    press(session, 't', ...'160g'.split(''));
    expect(session.state.hart).toBe(0);
    press(session, ':', ...'hart auto', 'return');
    expect(session.state.hart).toBe(1);
  });

  unit('a hart that does not exist is refused', () => {
    const session = open();
    press(session, ':', ...'hart 2', 'return');
    expect(session.state.message).toBe('no hart 2: this machine has harts 0 to 1');
  });
});

describe('the command line', () => {
  unit('unambiguous beginnings are enough, ambiguous ones list the candidates', () => {
    const session = open();
    press(session, ':', ...'det', 'return');
    expect(session.travel.moment).toBe(4200);
    press(session, ':', ...'r', 'return');
    expect(session.state.message).toMatch(/^'r' could be rstep, rcontinue, resume/);
  });

  unit('a bare moment goes there; units are known', () => {
    const session = open();
    press(session, ':', ...'1.5k', 'return');
    expect(session.travel.moment).toBe(1500);
  });

  unit('escape leaves it, backspace over the colon too', () => {
    const session = open();
    press(session, ':', 'q', 'escape');
    expect([session.state.prompt, session.state.quit]).toEqual([undefined, false]);
    press(session, ':', 'q', 'backspace', 'backspace');
    expect(session.state.prompt).toBeUndefined();
  });

  unit('nonsense is a message, not an exception', () => {
    const session = open();
    press(session, ':', ...'step x', 'return');
    expect(session.state.isError).toBe(true);
    expect(session.state.message).toContain("got 'x'");
  });
});

describe('scripts', () => {
  unit('mix keys with counts and commands', () => {
    const session = open();
    runScript(session, 'f; 3s; S; :hart 1; goto 2k; q; s');
    expect(session.travel.moment).toBe(2000);
    expect(session.state.quit).toBe(true);
  });

  unit('take a bare moment', () => {
    const session = open();
    runScript(session, '1.5k; s');
    expect(session.travel.moment).toBe(1501);
  });

  unit.each(['v', 'frobnicate 3', ':goto 99k', 'hart 9'])('%s is refused by name', (piece) => {
    expect(() => runScript(open(), `s; ${piece}`)).toThrow(`--script '${piece}'`);
  });
});

describe('the screen', () => {
  unit('marks changed registers of the hart, also without colour', () => {
    const session = open();
    press(session, 's');
    const lines = panelOf(screenOf(session), 'registers').lines.map(textOf);
    expect(lines.find((line) => line.includes(' a0 ') || line.includes('*a0 '))).toMatch(/\*a0 +1/);
    expect(lines.find((line) => /[ *]a1 /.test(line))).toMatch(/ a1 +0/);
  });

  unit('shows CSRs and floating-point registers in place of the integer ones, changes marked', () => {
    const session = open();
    const panel = () => {
      const { title, lines } = panelOf(screenOf(session), 'registers');
      return { title: textOf(title), text: lines.map(textOf).join('\n') };
    };
    press(session, 'X', 's');
    expect(panel().title).toMatch(/^- f registers, hart 0 -+$/);
    expect(panel().text).toMatch(/\*fa0 +10000000000000\b/);
    expect(panel().text).toMatch(/ fcsr +0/);
    press(session, 'x');
    expect(panel().title).toMatch(/^- CSRs, hart 0 -+$/);
    press(session, 'x');
    expect(panel().title).toMatch(/^[-=] registers, hart 0 [-=]+$/);
    press(session, ':', ...'float', 'return', 'j', 'j', 'tab', 'X');
    expect(panel().title).toMatch(/^[-=] registers, hart 0 [-=]+$/);
    press(session, 'X');
    expect([...panel().text.matchAll(/\bf[ast]\d+ /g)].length).toBeGreaterThan(15);
    change(session, { rows: 60 });
    expect([...panel().text.matchAll(/\bf[ast]\d+ /g)].length).toBe(32);
  });

  unit('marks the instruction at pc and names its symbol', () => {
    const session = open();
    press(session, ':', ...'405', 'return');
    const lines = panelOf(screenOf(session), 'disassembly').lines.map(textOf);
    expect(lines).toContain('>80200654  addi a0,a0,405');
    expect(lines[0]).toBe('main+0x8:');
    press(session, '7', 'S');
    expect(panelOf(screenOf(session), 'disassembly').lines.map(textOf)).toContain('main:');
  });

  unit('lanes show machine mode, hypervisor and VMs; events stand under them', () => {
    const session = open();
    const [, ruler, hart0, hart1, events] = screenOf(session).top.map(textOf);
    expect(ruler).toMatch(/^moment {2}V·+10,000$/);
    expect(hart0).toMatch(/^>hart 0 M+H+1+M+H+1+$/);
    expect(hart1).toMatch(/^ hart 1 M+H+2+M+2+$/);
    expect(events!.indexOf('F')).toBe(8 + Math.floor(0.4 * 72));
    expect(events).toMatch(/F.*D.*b.*R.*E$/);
  });

  unit('the console ends at the present and lets no escape sequence through', () => {
    const session = open();
    press(session, ':', ...'2000', 'return');
    const lines = panelOf(screenOf(session), 'console').lines.map(textOf);
    expect(lines).toEqual(['firmware: 2 harts', 'lazarus: up', 'vm1: step 1/4 \\u001b[31mred']);
  });

  unit.each([24, 60])('the help overlay lists every action on %i rows; keys turn its pages and close it', (rows) => {
    const session = open();
    change(session, { rows });
    press(session, '?');
    const lines: string[] = [];
    while (session.state.overlay) {
      lines.push(...panelOf(screenOf(session), 'help').lines.map(textOf));
      press(session, 's');
    }
    for (const action of ACTIONS) expect(lines.some((line) => line.includes(`:${action.name}`))).toBe(true);
    expect(session.travel.moment).toBe(0);
    press(session, '?', 'q');
    expect([session.state.overlay, session.state.quit]).toEqual([undefined, false]);
  });

  unit('zooming keeps the present moment in view', () => {
    const session = open();
    press(session, 'f', '+', '+');
    expect(session.state.to - session.state.from).toBe(625);
    expect(session.state.from).toBeLessThan(4000);
    press(session, 'z');
    expect([session.state.from, session.state.to]).toEqual([0, 10_000]);
  });
});

unit('no key and no command name stands for two actions', () => {
  const keys = ACTIONS.flatMap((action) => action.keys);
  expect(new Set(keys).size).toBe(keys.length);
  const names = ACTIONS.map((action) => action.name);
  expect(new Set(names).size).toBe(names.length);
});
