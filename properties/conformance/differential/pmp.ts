/** Physical memory protection, written down from the manual once more, on bigints ("Physical Memory Protection"). */

const ENTRIES = 16;
const [R, W, X, LOCKED] = [1n, 2n, 4n, 0x80n];
const TOR = 1n;
const NA4 = 2n;
const NAPOT = 3n;
const NEEDED = { load: R, store: W, fetch: X } as const;

/** Whether all of `bytes` at `paddr` may be accessed. `csr` gives pmpcfg0, pmpcfg2 and pmpaddr0 … pmpaddr15. */
export function pmpAllows(
  csr: (name: string) => bigint,
  paddr: bigint,
  bytes: number,
  kind: keyof typeof NEEDED,
  machineMode: boolean,
): boolean {
  const last = paddr + BigInt(bytes) - 1n;
  for (let n = 0; n < ENTRIES; n++) {
    const config = (csr(n < 8 ? 'pmpcfg0' : 'pmpcfg2') >> BigInt(8 * (n % 8))) & 0xffn;
    const range = rangeOf(csr, n, (config >> 3n) & 3n);
    // The lowest-numbered entry that matches any byte decides, and must match all of them.
    if (!range || range.last < paddr || range.first > last) continue;
    if (range.first > paddr || range.last < last) return false;
    return (machineMode && !(config & LOCKED)) || (config & NEEDED[kind]) !== 0n;
  }
  return machineMode;
}

function rangeOf(csr: (name: string) => bigint, n: number, mode: bigint): { first: bigint; last: bigint } | undefined {
  const address = csr(`pmpaddr${n}`);
  switch (mode) {
    case TOR: {
      const below = n === 0 ? 0n : csr(`pmpaddr${n - 1}`);
      return below < address ? { first: below << 2n, last: (address << 2n) - 1n } : undefined;
    }
    case NA4:
      return { first: address << 2n, last: (address << 2n) + 3n };
    case NAPOT: {
      // The run of ones at the low end, and the zero above it, give the size.
      let ones = 0n;
      while ((address >> ones) & 1n) ones++;
      const size = 8n << ones;
      const first = (address << 2n) & ~(size - 1n);
      return { first, last: first + size - 1n };
    }
    default:
      return undefined;
  }
}
