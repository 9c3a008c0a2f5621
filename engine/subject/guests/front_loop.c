/*
 * Front end of the loop device: what it asks for is done when loop_finish returns.
 */
#include "front.h"

static struct front front;
static volatile struct pv_loop_ring *ring;
static u32 taken; /* responses, counts freely */
/** Bit per id that is in flight. */
static u64 in_flight;

int loop_connect(void) {
  ring = page_alloc();
  if (ring == NULL) return failed("no page for the loop's ring"), -1;
  return front_meet(&front, PV_LOOP, ring);
}

int loop_start(u64 operation, u64 ref, u64 key) {
  u64 id = 0;
  while (in_flight >> id & 1) id++;
  if (id >= PV_SLOTS) return -1;
  u32 made = ring->requests_made;
  volatile struct pv_loop_request *request = &ring->requests[made % PV_SLOTS];
  request->id = id;
  request->operation = operation;
  request->ref = ref;
  request->key = key;
  in_flight |= 1ul << id;
  fence(); /* the request before the counter that covers it */
  ring->requests_made = made + 1;
  front_notify(&front);
  return 0;
}

/** Takes the responses that are there; the number of those that are not PV_OK, or not to what was asked. */
static u64 take_all(void) {
  u64 bad = 0;
  for (; taken != ring->responses_made; taken++) {
    fence(); /* the counter before what it covers */
    volatile struct pv_response *response = &ring->responses[taken % PV_SLOTS];
    u64 id = response->id;
    bad += response->status != PV_OK || id >= PV_SLOTS || (in_flight >> id & 1) == 0;
    in_flight &= ~(1ul << id % PV_SLOTS);
  }
  return bad;
}

int loop_finish(void) {
  u64 deadline = time_now() + FRONT_PATIENCE, before = interrupts_off(), bad = take_all();
  for (; in_flight != 0 && time_now() < deadline; bad += take_all()) event_wait(deadline);
  interrupts_restore(before);
  if (in_flight != 0) failed("the loop does not answer");
  return in_flight != 0 || bad != 0 ? -1 : 0;
}
