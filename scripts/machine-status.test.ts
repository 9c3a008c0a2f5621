/** docs/machine.md is what the machine says about itself; that the committed one is the present one: docs.test.ts. */
import { expect, test } from 'vitest';
import { CSRS } from '../engine/isa/csrs/index.ts';
import { machineStatus } from './machine-status.ts';

const text = machineStatus();

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
