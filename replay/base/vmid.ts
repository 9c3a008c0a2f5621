/** VMIDs have 14 bits. */
export const MAX_VMID = 0x3fff;
