/*
 * Front end of the block device. Each request grants its page for as long as it is in flight. Responses come in any
 * order; a request's id is its number modulo PV_SLOTS, which names its record here.
 */
#include "front.h"

static struct front front;
static volatile struct pv_block_ring *ring;
static struct {
  u64 busy, ref;
} flights[PV_SLOTS];
static u64 in_flight, served;
static u32 taken; /* responses, counts freely */
static int trouble;

int block_connect(void) {
  ring = page_alloc();
  if (ring == NULL) return failed("no page for the disk's ring"), -1;
  return front_meet(&front, PV_BLOCK, ring);
}

u64 block_disk_sectors(void) { return ring->disk_sectors; }
u64 block_served(void) { return served; }

static void take(u64 id, u64 status) {
  if (id >= PV_SLOTS || !flights[id].busy) {
    trouble = 1;
    failed("the disk answers what was not asked");
    return;
  }
  flights[id].busy = 0;
  in_flight--;
  served++;
  if (status != PV_OK) {
    trouble = 1;
    failed("the disk reports an error");
  }
  if (checked("end of a page's grant", grant_end(flights[id].ref)) < 0) trouble = 1;
}

/** Takes the responses that are there. */
static void take_all(void) {
  while (taken != ring->responses_made) {
    fence(); /* the counter before what it covers */
    volatile struct pv_response *response = &ring->responses[taken % PV_SLOTS];
    u64 id = response->id, status = response->status;
    taken++;
    take(id, status);
  }
}

/** Waits until fewer than `limit` requests are in flight. */
static int wait_below(u64 limit) {
  u64 deadline = time_now() + FRONT_PATIENCE, before = interrupts_off();
  for (take_all(); in_flight >= limit && time_now() < deadline; take_all()) event_wait(deadline);
  interrupts_restore(before);
  if (in_flight < limit) return 0;
  trouble = 1;
  failed("the disk does not answer");
  return -1;
}

int block_start(u64 operation, u64 sector, u64 sectors, void *page) {
  if (wait_below(PV_SLOTS) != 0) return -1;
  u64 id = 0;
  while (flights[id].busy) id++;
  i64 ref = checked("grant of a page",
                    grant_allow(PRIVVM_VMID, gpa_of(page), GRANT_PERMIT | (operation == PV_WRITE ? GRANT_READONLY : 0)));
  if (ref < 0) return -1;
  flights[id].ref = (u64)ref;
  flights[id].busy = 1;
  in_flight++;
  u32 made = ring->requests_made;
  volatile struct pv_block_request *request = &ring->requests[made % PV_SLOTS];
  request->id = id;
  request->operation = operation;
  request->sector = sector;
  request->sectors = sectors;
  request->ref = (u64)ref;
  fence(); /* the request before the counter that covers it */
  ring->requests_made = made + 1;
  front_notify(&front);
  return 0;
}

int block_finish(void) {
  int result = wait_below(1) != 0 || trouble ? -1 : 0;
  trouble = 0;
  return result;
}
