/**
 * `--symbols` as it is typed: a file with symbols, and where the software in it runs. Every function throws UsageError
 * with what was expected and an example. Does not read the file.
 */
import { MAX_VMID } from '../../replay/index.ts';
import { UsageError } from './errors.ts';

export interface NamedSymbols {
  readonly path: string;
  /** Where its lowest address lies. */
  readonly at?: bigint;
  /** The only VM that it is for. */
  readonly vmid?: number;
}

const U64_LIMIT = 1n << 64n;

/** `FILE`, `FILE@0x80200000`, `FILE@vm1`, `FILE@vm1:0x80000000`. An @ with a / or . behind it belongs to FILE. */
export function parseSymbols(text: string): NamedSymbols {
  const expected = (why: string) =>
    new UsageError(`expected FILE, FILE@0x80200000, FILE@vm1 or FILE@vm1:0x80000000, got '${text}'${why}`);
  const split = text.lastIndexOf('@');
  const place = text.slice(split + 1);
  if (text === '' || split === 0) throw expected('');
  if (split < 0 || /[/.]/.test(place)) return { path: text };
  const match = /^(?:vm(?<vm>\d+)(?::|$))?(?<address>0x[0-9a-f][0-9a-f_]*)?$/i.exec(place);
  const { vm, address } = match?.groups ?? {};
  if ((vm === undefined && address === undefined) || place.endsWith(':')) throw expected('');
  const at = address === undefined ? undefined : BigInt(address.replaceAll('_', ''));
  const vmid = vm === undefined ? undefined : Number(vm);
  if (at !== undefined && at >= U64_LIMIT) throw expected(': an address has 64 bits');
  if (vmid !== undefined && vmid > MAX_VMID) throw expected(`: a VMID is at most ${MAX_VMID}`);
  return { path: text.slice(0, split), ...(at !== undefined && { at }), ...(vmid !== undefined && { vmid }) };
}
