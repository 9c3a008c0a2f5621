/*
 * The split devices between the PrivVM (back ends) and AppVMs (front ends): a shared ring page and an event channel for
 * each. Lazarus knows nothing of it.
 *
 * Meeting: the front end grants its ring page to PRIVVM_VMID, allocates an event port for it, puts both into its store
 * (PV_KEY(device, what)), and last PV_READY = 1. The back end peeks until it sees that, maps the ring, binds the port,
 * and sets ring->connected.
 */
#ifndef PV_H
#define PV_H
#include "types.h"

#define PV_BLOCK 1
#define PV_NET 2
#define PV_LOOP 3
#define PV_KEY(device, what) (0x10000ul * (device) + (what))
#define PV_REF 1
#define PV_PORT 2
#define PV_READY 3

#define PV_SECTOR_BYTES 512ul
/** Slots of a ring; a power of two. Producer counters run freely; slot = counter modulo PV_SLOTS. */
#define PV_SLOTS 16u

/* ---- block ---- */
#define PV_READ 0
#define PV_WRITE 1
#define PV_FLUSH 2
#define PV_OK 0
#define PV_ERROR 1
struct pv_block_request {
  /** Given back with the response. */
  u64 id;
  u64 operation;
  /** Relative to the disk of this VM. */
  u64 sector;
  /** At most 8: one page. */
  u64 sectors;
  /** Granted page; its data from offset 0. */
  u64 ref;
};
struct pv_response {
  u64 id;
  u64 status;
};
struct pv_block_ring {
  volatile u32 connected;
  volatile u32 requests_made, responses_made;
  u32 pad;
  /** Set by the back end before `connected`. */
  volatile u64 disk_sectors;
  struct pv_block_request requests[PV_SLOTS];
  struct pv_response responses[PV_SLOTS];
};

/* ---- net: frames travel in granted pages, one page a frame ---- */
struct pv_net_packet {
  u64 ref;
  u64 bytes;
};
struct pv_net_ring {
  volatile u32 connected;
  /** Frames to send: made by the front end, taken by the back end. */
  volatile u32 tx_made, tx_done;
  /**
   * Empty pages for reception: made by the front end; filled by the back end, which writes `bytes` and advances
   * rx_done.
   */
  volatile u32 rx_made, rx_done;
  u8 mac[6];
  u8 pad[6];
  struct pv_net_packet tx[PV_SLOTS];
  struct pv_net_packet rx[PV_SLOTS];
};

/*
 * ---- loop: work on granted pages and on frames themselves, whose outcome the front end knows; needs no real device
 * ----
 */
/** The page: word n becomes pv_loop_word(word, key + n). */
#define PV_LOOP_STIR 0
/** A fresh frame, word n of which is pv_loop_word(0, key + n), is transferred to `ref`, which accepts it. */
#define PV_LOOP_GIVE 1
struct pv_loop_request {
  /** Given back with the response. */
  u64 id;
  u64 operation;
  u64 ref;
  u64 key;
};
struct pv_loop_ring {
  volatile u32 connected;
  volatile u32 requests_made, responses_made;
  u32 pad;
  struct pv_loop_request requests[PV_SLOTS];
  struct pv_response responses[PV_SLOTS];
};
static inline u64 pv_loop_word(u64 word, u64 key) { return (word << 9 | word >> 55) ^ key * 0x2545f4914f6cdd1dul; }

_Static_assert(sizeof(struct pv_loop_ring) <= 4096, "one page");
_Static_assert(sizeof(struct pv_block_ring) <= 4096 && sizeof(struct pv_net_ring) <= 4096, "one page each");
#endif
