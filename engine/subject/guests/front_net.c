/*
 * Front end of the network device. Every slot of the ring has a page of its own, granted once and for all; frames are
 * copied in and out of them.
 */
#include "front.h"

static struct front front;
static volatile struct pv_net_ring *ring;
static u8 *tx_pages[PV_SLOTS], *rx_pages[PV_SLOTS];
static u32 taken; /* frames received, counts freely */

/** A page for each slot of `packets`, granted with `flags`. */
static int grant_pages(volatile struct pv_net_packet *packets, u8 **pages, u64 flags) {
  for (u64 slot = 0; slot < PV_SLOTS; slot++) {
    pages[slot] = page_alloc();
    if (pages[slot] == NULL) return -1;
    i64 ref = checked("grant of a page", grant_allow(PRIVVM_VMID, (u64)pages[slot], flags));
    if (ref < 0) return -1;
    packets[slot].ref = (u64)ref;
    packets[slot].bytes = 0;
  }
  return 0;
}

int net_connect(const u8 *mac) {
  ring = page_alloc();
  if (ring == NULL || checked("grant_setup", grants_on()) < 0 ||
      grant_pages(ring->tx, tx_pages, GRANT_PERMIT | GRANT_READONLY) != 0 ||
      grant_pages(ring->rx, rx_pages, GRANT_PERMIT) != 0)
    return failed("no pages for the network"), -1;
  for (u64 at = 0; at < 6; at++) ring->mac[at] = mac[at];
  ring->rx_made = PV_SLOTS;
  fence();
  return front_meet(&front, PV_NET, ring);
}

int net_send(const void *frame, u64 bytes) {
  u32 made = ring->tx_made;
  if (bytes > PAGE_BYTES || (u32)(made - ring->tx_done) >= PV_SLOTS) return -1;
  fence();
  memcpy(tx_pages[made % PV_SLOTS], frame, bytes);
  ring->tx[made % PV_SLOTS].bytes = bytes;
  fence(); /* the frame before the counter that covers it */
  ring->tx_made = made + 1;
  front_notify(&front);
  return 0;
}

u64 net_receive(void *frame) {
  u64 bytes = 0;
  while (bytes == 0 && taken != ring->rx_done) {
    fence(); /* the counter before what it covers */
    u64 slot = taken % PV_SLOTS;
    bytes = ring->rx[slot].bytes;
    if (bytes > NET_FRAME_BYTES) bytes = 0;
    memcpy(frame, rx_pages[slot], bytes);
    fence(); /* read before the page is given back */
    taken++;
    ring->rx_made = taken + PV_SLOTS;
    front_notify(&front);
  }
  return bytes;
}

void net_wait(u64 deadline) {
  u64 before = interrupts_off();
  if (taken == ring->rx_done) event_wait(deadline);
  interrupts_restore(before);
}
