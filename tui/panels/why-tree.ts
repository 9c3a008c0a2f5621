/** The tree of instructions that a value of one run came from, for people and for --json: a line for each source. */
import { codeText } from '../../engine/index.ts';
import type { StepPlace, WhyNode, WhyOperand, WhyOrigin, WhySource, WhyTree } from '../../replay/index.ts';
import { counted, grouped, hex, table } from '../base/index.ts';
import { contextText } from './why.ts';

/** Where some bytes of a value came from, as --json prints it: a tree, its lines in the order of the page. */
export type DescribedSource = ReturnType<typeof describeSource>;

/** All lines, each behind the one of the step whose operand it is. */
export function describeTree({ root }: WhyTree) {
  const lines: DescribedSource[] = [];
  const visit = (operand: WhyOperand, depth: number): void => {
    for (const source of operand.sources ?? []) {
      lines.push(describeSource(operand, source, depth));
      if (source.node.kind !== 'step') continue;
      for (const one of source.node.operands) visit(one, depth + 1);
    }
  };
  visit(root, 0);
  return { what: root.what, value: root.value, sources: lines };
}

function describeSource({ what, value, role }: WhyOperand, source: WhySource, depth: number) {
  const { from, bytes, fill, copies, node } = source;
  const at = 'at' in node ? node.at : undefined;
  const position = 'moment' in node ? { moment: node.moment, ticks: node.ticks } : undefined;
  return {
    depth,
    operand: what,
    value,
    role,
    ...{ from, bytes, copies },
    ...(fill && { fill }),
    kind: node.kind,
    ...((node.kind === 'step' || node.kind === 'seen') && { id: node.id }),
    ...(node.kind === 'step' && { wrote: node.what, result: node.value }),
    ...(at && { at }),
    ...(position && { position }),
    text: nodeText(node),
  };
}

/** What gave the value, in words. */
function nodeText(node: WhyNode): string {
  if (node.kind === 'step') return node.at.text.replaceAll('\t', ' ');
  return originText(node);
}

function originText(origin: WhyOrigin): string {
  switch (origin.kind) {
    case 'constant':
      return `constant of ${origin.at.text.replaceAll('\t', ' ')}`;
    case 'input': {
      const byte = origin.byte === undefined ? '' : `byte ${origin.byte} of `;
      const device = origin.device === undefined ? '' : `, through ${origin.device}`;
      return `${byte}input ${origin.index} of the recording (${origin.input})${device}`;
    }
    case 'fault': {
      const { before, value, what, inputs } = origin;
      const there = inputs.length === 0 ? 'no input' : inputs.map((kind) => `a ${kind}`).join(' and ');
      return `nobody wrote it: ${what} had ${hex(before)} and has ${hex(value)}; the recording has ${there} there`;
    }
    case 'image':
      return `${origin.image} at ${hex(origin.paddr)}${origin.symbol === undefined ? '' : `, ${origin.symbol}`}`;
    case 'reset':
      return `${origin.what} as it is at reset`;
    case 'dma': {
      const { device, queue, head, disk } = origin;
      const request = queue === undefined ? '' : `, queue ${queue}${head === undefined ? '' : `, descriptor ${head}`}`;
      const from = disk ? `: byte ${hex(disk.offset)} of the disk, sector ${disk.sector}` : '';
      return `DMA of ${device}${request}${from}`;
    }
    case 'device':
      return `read from ${origin.device}, offset ${hex(origin.offset)}`;
    case 'walk':
      return `a page walk that sets A or D: before it ${hex(origin.before)}`;
    case 'time':
      return `${origin.what}, which counts by itself`;
    case 'pending':
      return `${origin.what}: which interrupts are pending`;
    case 'interrupt':
      return `an interrupt: ${origin.at.text}`;
    case 'far':
      return 'written further back than was looked';
    case 'seen':
      return `as at #${origin.id} above`;
    case 'cut':
      return CUTS[origin.by];
  }
}

const CUTS = {
  depth: '(no deeper: --depth shows more)',
  most: '(more than is listed)',
  work: '(further back than was looked)',
} as const;

/** The page: what was asked, the tree, and where its values began, in one sentence. */
export function whyTreeText(about: string, tree: WhyTree): string {
  const { sources } = describeTree(tree);
  const rows = sources.map(rowOf);
  const value = `${tree.root.what} is ${hex(tree.root.value)}`;
  return [about, value, '', table(rows, [1]), '', beginningsText(sources)].join('\n');
}

function rowOf(source: DescribedSource): readonly string[] {
  const { depth, operand, value, from, bytes, copies, fill, at, position, text, kind, id } = source;
  const isPart = from > 0 || bytes < 8;
  const part =
    isPart && fill === undefined ? `, ${bytesText(from, bytes)}` : fill ? `, from byte ${from} on ${fill}` : '';
  const name = `${'  '.repeat(depth)}${operand} = ${hex(value)}${part}`;
  const moment = at?.moment ?? position?.moment;
  const by =
    copies > 0 ? `  (${counted(copies, 'instruction')} that copied it ${copies === 1 ? 'is' : 'are'} left out)` : '';
  const mark = kind === 'step' ? `#${id} ` : '';
  return [name, moment === undefined ? '' : grouped(moment), ...placeCells(at), `${mark}${text}${by}`];
}

const bytesText = (from: number, bytes: number): string =>
  bytes === 1 ? `byte ${from}` : `bytes ${from} to ${from + bytes - 1}`;

const placeCells = (at: StepPlace | undefined): readonly string[] =>
  at ? [`hart ${at.hart}`, contextText(at), codeText(at) || hex(at.pc, 8)] : ['', '', ''];

const NAMES: Readonly<Record<string, string>> = {
  constant: 'a constant',
  input: 'an input from outside',
  fault: 'a change that nobody wrote',
  image: 'an image',
  reset: 'what is there at reset',
  dma: 'DMA',
  device: "a device's answer",
  walk: 'a page walk',
  time: 'a counter',
  pending: 'a pending interrupt',
  interrupt: 'an interrupt',
  far: 'something further back than was looked',
  cut: 'something that was not followed',
};

function beginningsText(sources: readonly DescribedSource[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of sources) {
    const name = NAMES[kind];
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const parts = [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${grouped(count)} times)`));
  return parts.length === 0 ? 'It began nowhere that was looked at.' : `It began with ${parts.join(', ')}.`;
}
