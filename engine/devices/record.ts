/**
 * Declares device records with the same machinery as the core's blocks. All fields of a device are saved.
 * Relies on engine/core/layout/layout.ts for placement.
 */
import { type Block, type FieldType, placeBlock } from '../core/index.ts';

/** A field of a device record. */
export interface RecordField {
  readonly name: string;
  readonly type: FieldType;
  /** 1 unless it is an array. */
  readonly count?: number;
  readonly doc: string;
}

/** Places the fields of a device record. */
export const placeRecord = (name: string, fields: readonly RecordField[]): Block =>
  placeBlock(
    name,
    fields.map((field) => ({ count: 1, ...field, saved: true })),
  );
