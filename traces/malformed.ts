/** How decoders of one block report bytes that the format does not allow; the reader turns it into located damage. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** Fails the block being decoded unless `condition`; `expected` completes "expected …". @throws Malformed */
export function expectFormat(condition: boolean, expected: string): asserts condition {
  if (!condition) throw new Malformed(`expected ${expected}`);
}
