/** docs/machine.md is what the machine says about itself. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CSRS } from '../engine/isa/csr.ts';
import { machineStatus, STATUS_FILE } from './machine-status.ts';

const text = machineStatus();

test('the committed table is the generated one; if not: npm run docs', () => {
  expect(readFileSync(STATUS_FILE, 'utf8')).toBe(text);
});

test('the probe tells registers that keep bits from those that do not', () => {
  const row = (name: string) => text.split('\n').find((line) => line.includes(`\`${name}\``)) ?? '';
  expect(row('mscratch')).toContain('all bits');
  expect(row('misa')).toContain('hardwired');
  expect(row('time')).toContain('read-only');
  expect(row('sie')).toContain('0x222');
  expect(row('pmpcfg0')).toContain('0x9f9f9f9f9f9f9f9f');
});

test('every register that has a name is either there or listed as absent', () => {
  const covers = (name: string) => {
    const [, stem = name, digits = '0'] = /^(\D+)(\d+)$/.exec(name) ?? [];
    const runs = text.matchAll(/`([a-z]+)(\d+) … ([a-z]+)(\d+)`/g);
    const inRun = [...runs].some(([, s, from, , to]) => s === stem && Number(from) <= +digits && +digits <= Number(to));
    return inRun || text.includes(`\`${name}\``);
  };
  expect(CSRS.filter((csr) => !covers(csr.name)).map((csr) => csr.name)).toEqual([]);
});
