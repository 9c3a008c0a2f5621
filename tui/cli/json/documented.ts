/**
 * Ties what `--json` prints to its documentation, at compile time: a value has exactly the fields of its schema, on
 * every path, also on those that no test runs. Relies on types alone; nothing of it is there at run time.
 */
import type { JsonShapes } from './shapes.ts';

/** Stands for a field that may be missing. */
interface Missing {
  readonly missing: true;
}

/**
 * A type as JSON has it, so that two can be compared by assigning each to the other: 64-bit integers and bytes are
 * text, a field that is optional or undefined may be missing. Every key is required, so that none is overlooked.
 */
type Plain<T> = T extends bigint | Uint8Array
  ? string
  : T extends readonly (infer E)[]
    ? readonly Plain<E>[]
    : T extends object
      ? {
          readonly [K in keyof T]-?: undefined extends T[K]
            ? Plain<Exclude<T[K], undefined>> | Missing
            : Record<never, never> extends Pick<T, K>
              ? Plain<T[K]> | Missing
              : Plain<T[K]>;
        }
      : T;

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** Where two types differ, as paths such as `.vms[].name`, for the compiler's message. */
type Differing<A, B> =
  Same<A, B> extends true
    ? never
    : A extends readonly (infer E)[]
      ? B extends readonly (infer F)[]
        ? `[]${Differing<E, F>}`
        : ''
      : A extends object
        ? B extends object
          ? {
              [K in (keyof A | keyof B) & string]: K extends keyof A & keyof B
                ? Same<A[K], B[K]> extends true
                  ? never
                  : `.${K}${Differing<A[K], B[K]>}`
                : `.${K}`;
            }[(keyof A | keyof B) & string]
          : ''
        : '';

/**
 * What a value must be, too, to have the documented shape: nothing if it has; otherwise what no value is, and where it
 * differs.
 */
export type Documented<N extends keyof JsonShapes, V> =
  Same<Plain<V>, Plain<JsonShapes[N]>> extends true
    ? unknown
    : { readonly 'differs from tui/cli/json at': Differing<Plain<V>, Plain<JsonShapes[N]>> };

/** The same value; does not compile unless it has exactly the fields that are documented. */
export const documented = <N extends keyof JsonShapes, V>(_shape: N, value: V & Documented<N, V>): V => value;
