/**
 * The part of the WebAssembly JavaScript interface that the engine uses. TypeScript declares it only together with the
 * whole browser library, which the engine must not see. @see WebAssembly JavaScript Interface, section 5
 */
declare global {
  namespace WebAssembly {
    interface MemoryDescriptor {
      initial: number;
      maximum?: number;
      shared?: boolean;
    }
    interface TableDescriptor {
      element: 'anyfunc';
      initial: number;
      maximum?: number;
    }
    // biome-ignore lint/suspicious/noExplicitAny: wasm functions have signatures that TypeScript cannot know.
    type ImportValue = ((...args: any[]) => unknown) | Memory | Table;
    type Imports = Record<string, Record<string, ImportValue>>;

    class Module {
      constructor(bytes: Uint8Array);
      static exports(module: Module): { name: string; kind: string }[];
      static imports(module: Module): { module: string; name: string; kind: string }[];
    }
    class Instance {
      constructor(module: Module, imports?: Imports);
      readonly exports: Record<string, unknown>;
    }
    class Memory {
      constructor(descriptor: MemoryDescriptor);
      readonly buffer: ArrayBuffer;
      grow(pages: number): number;
    }
    class Table {
      constructor(descriptor: TableDescriptor);
      readonly length: number;
      get(index: number): unknown;
      set(index: number, value: unknown): void;
      grow(elements: number): number;
    }
    class RuntimeError extends Error {}
    function validate(bytes: Uint8Array): boolean;
  }
}

export {};
