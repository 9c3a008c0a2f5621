/*
 * A bundle of guest images, made by engine/subject/images: what the initrd holds when there is more than one guest.
 * Lazarus makes the PrivVM from the entry `privvm`, and the PrivVM's toolstack makes the other VMs from the rest.
 */
#ifndef BUNDLE_H
#define BUNDLE_H
#include "types.h"

#define BUNDLE_MAGIC 0x31454c444e55424cul /* "LBUNDLE1", little-endian */
#define BUNDLE_ENTRIES 15
struct bundle_entry {
  char name[16];
  /** From the bundle's first byte; a multiple of 4096. */
  u64 offset;
  u64 bytes;
};
struct bundle {
  u64 magic;
  u64 count;
  struct bundle_entry entries[BUNDLE_ENTRIES];
};
#endif
