/** What generated code calls in the privileged architecture (engine/core/README.md, "Calls from interp into arch"). */
import { HELPERS, type HelperName } from '../../isa/index.ts';
import type { FunctionType, ImportedFunction } from '../wasm/index.ts';

const CORE = {
  fetch: { parameters: ['i32'], result: 'i32' },
  decode: { parameters: ['i32', 'i32'] },
  loadSlow: { parameters: ['i32', 'i64', 'i32'], result: 'i64' },
  storeSlow: { parameters: ['i32', 'i64', 'i64', 'i32'] },
} as const satisfies Record<string, FunctionType>;

export type ArchFunction = keyof typeof CORE | HelperName;

const TYPES = new Map<ArchFunction, FunctionType>([
  ...(Object.entries(CORE) as [ArchFunction, FunctionType][]),
  ...Object.entries(HELPERS).map(([name, { parameters }]): [ArchFunction, FunctionType] => [
    name as HelperName,
    { parameters: ['i32', ...parameters.map(() => 'i64' as const)], result: 'i64' },
  ]),
]);

/** Imports of one module from `arch`, and their indices there. */
export interface ArchCalls {
  readonly imports: readonly ImportedFunction[];
  /** @throws Error when the function is not among the imports (ours: an assertion). */
  index(name: ArchFunction): number;
}

/** Imports of the given functions, all when none are given, as the module's first. */
export function archCalls(names: Iterable<ArchFunction> = TYPES.keys()): ArchCalls {
  const indices = new Map([...names].map((name, index) => [name, index]));
  return {
    imports: [...indices.keys()].map((name) => ({ module: 'arch', name, type: TYPES.get(name) as FunctionType })),
    index: (name) => {
      const found = indices.get(name);
      if (found === undefined) throw new Error(`codegen: ${name} is not imported`);
      return found;
    },
  };
}
