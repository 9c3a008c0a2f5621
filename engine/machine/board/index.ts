/** What the machine starts from: memory map, device tree, boot ROM, images in RAM, disks and cables plugged in. */
export { boardOf, CLINT, PAGE_BYTES, RAM_BASE, type Slot } from './board.ts';
export { type BootRam, createBootMemory } from './boot-memory.ts';
export { type ElfSymbol, isElf, type MovedRange, readElf, readElfKind, readMoved, readSymbols } from './elf.ts';
export { type BootImage, checkMachine, loadBoot, loadedAt } from './loader.ts';
export { createMedia, diskPlace, imagePage, type Media } from './media.ts';
export { randomDisk } from './random-disk.ts';
export { type ElfSection, readSections } from './sections.ts';
