/** Sources of an operand that lie side by side and are one: bytes that were copied singly. */
import type { WhyNode, WhySource } from './tree-types.ts';

/** `sources`: lowest bytes first. */
export function joined(sources: readonly WhySource[]): WhySource[] {
  const all: WhySource[] = [];
  for (const source of sources) {
    const last = all.at(-1);
    const both = last && joinTwo(last, source);
    if (both) all[all.length - 1] = both;
    else all.push(source);
  }
  return all;
}

function joinTwo(low: WhySource, high: WhySource): WhySource | undefined {
  if (low.fill || high.fill || low.from + low.bytes !== high.from) return undefined;
  const bytes = low.bytes + high.bytes;
  const copies = Math.max(low.copies, high.copies);
  if (high.node.kind === 'seen') {
    const id = low.node.kind === 'seen' || low.node.kind === 'step' ? low.node.id : undefined;
    return id === high.node.id && low.at + low.bytes === high.at ? { ...low, bytes, copies } : undefined;
  }
  const node = joinOrigins(low.node, high.node, low.bytes);
  return node && { ...low, bytes, copies, node };
}

function joinOrigins(low: WhyNode, high: WhyNode, lowBytes: number): WhyNode | undefined {
  const value = low.value | (high.value << BigInt(8 * lowBytes));
  if (low.kind === 'image' && high.kind === 'image' && low.paddr + lowBytes === high.paddr && low.image === high.image)
    return { ...low, value };
  if (low.kind === 'input' && high.kind === 'input' && low.index === high.index && low.byte !== undefined) {
    return low.byte + lowBytes === high.byte ? { ...low, value } : undefined;
  }
  if (low.kind === 'dma' && high.kind === 'dma' && low.ticks === high.ticks && low.device === high.device) {
    if (low.head !== high.head || low.disk === undefined || high.disk === undefined) return undefined;
    return low.disk.offset + lowBytes === high.disk.offset ? { ...low, value } : undefined;
  }
  return undefined;
}
