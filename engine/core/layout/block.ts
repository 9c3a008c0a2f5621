/** Blocks of linear memory: fields, where they are placed, and looking them up. */

export type FieldType = 'u8' | 'u32' | 'u64';
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Number of consecutive elements (1 unless the field is an array). */
  readonly count: number;
  readonly saved: boolean;
  readonly doc: string;
}
export interface PlacedField extends Field {
  /** Byte offset inside the block. */
  readonly offset: number;
}
export interface Block {
  readonly name: string;
  readonly fields: readonly PlacedField[];
  readonly savedBytes: number;
  readonly sizeBytes: number;
}

const SIZE: Record<FieldType, number> = { u8: 1, u32: 4, u64: 8 };

/** A field that influences the future. */
export const saved = (name: string, doc: string, type: FieldType = 'u64', count = 1): Field => ({
  name,
  type,
  count,
  saved: true,
  doc,
});
/** A field that can be recomputed, or is bookkeeping of the host. */
export const derived = (name: string, doc: string, type: FieldType = 'u64', count = 1): Field => ({
  name,
  type,
  count,
  saved: false,
  doc,
});

/** Places fields in declaration order, saved ones first, each aligned to its own size; blocks end 8-byte aligned. */
export function placeBlock(name: string, fields: readonly Field[]): Block {
  let offset = 0;
  const place = (field: Field): PlacedField => {
    const size = SIZE[field.type];
    offset = Math.ceil(offset / size) * size;
    const placed = { ...field, offset };
    offset += size * field.count;
    return placed;
  };
  const first = fields.filter((f) => f.saved).map(place);
  offset = Math.ceil(offset / 8) * 8;
  const savedBytes = offset;
  const rest = fields.filter((f) => !f.saved).map(place);
  return { name, fields: [...first, ...rest], savedBytes, sizeBytes: Math.ceil(offset / 8) * 8 };
}

/** Looks a field up by name. @throws Error when the block has no such field (ours: an assertion). */
export function field(block: Block, name: string): PlacedField {
  const found = block.fields.find((f) => f.name === name);
  if (!found) throw new Error(`layout: block ${block.name} has no field ${name}`);
  return found;
}
/** Byte offset of a field inside its block. */
export const offsetOf = (block: Block, name: string): number => field(block, name).offset;
